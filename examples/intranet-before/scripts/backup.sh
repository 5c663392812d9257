# Started by hand, when somebody thinks of it; the first line is no interpreter's.
#!/bin/bash

# No `set -euo pipefail`: after a dump that failed, the old backups are deleted all the same.
DATE=$(date +%Y%m%d)
BACKUP_DIR=/backups

pg_dump -h db.intranet.internal -U intranet -F c -f $BACKUP_DIR/intranet-$DATE.dump intranet
gzip $BACKUP_DIR/intranet-$DATE.dump

# A week; and first the old ones go, then the new one leaves the house, or does not.
find $BACKUP_DIR -name "*.gz" -mtime +7 -delete
aws s3 cp $BACKUP_DIR/intranet-$DATE.dump.gz s3://intranet-backups/

# With WORK unset this is `rm -rf /*`.
rm -rf $WORK/*
