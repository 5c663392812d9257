#!/usr/bin/env bash
# scripts/restore-database.sh intranet_2026-11-24T021500Z.dump.age
# `rclone lsf offsite:intranet-backups/database` lists the names. All of it, or nothing: what is there stays when the
# backup cannot be read to its end.
set -euo pipefail
umask 077

backup=${1:?the name of a backup}
folder=$(mktemp --directory)
trap 'rm -rf -- "${folder:?}"' EXIT

rclone copyto "offsite:intranet-backups/database/$backup" "$folder/$backup"
age --decrypt --identity "${AGE_IDENTITY:?the file with the private key}" \
  --output "$folder/intranet.dump" "$folder/$backup"

pg_restore --exit-on-error --single-transaction --clean --if-exists --no-owner --role=intranet_owner \
  --dbname=intranet "$folder/intranet.dump"
psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=intranet --file=db/verify-restore.sql
