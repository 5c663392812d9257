#!/bin/bash
set -e

# Which version was running before? The manifest says :latest, then and now.
kubectl rollout undo deployment/web

# A command that Railway does not have.
railway rollback
