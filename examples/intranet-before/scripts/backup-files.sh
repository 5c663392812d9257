#!/bin/bash
set -euo pipefail

# On the machine that it is to survive, and for ever.
tar -czf "/backups/files-$(date +%Y%m%d).tar.gz" /app/uploads
