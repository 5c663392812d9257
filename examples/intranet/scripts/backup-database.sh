#!/usr/bin/env bash
# Every night: dump, read the dump, encrypt it, copy it to another account, look whether it arrived.
# k8s/production/backup.yaml starts it and gives it PGHOST, PGUSER, PGPASSWORD, PGSSLMODE, AGE_RECIPIENT and the
# remote `offsite`. What fails stops it, and the alert BackupOverdue sees that no backup has succeeded.
set -euo pipefail
umask 077

folder=/var/backups/intranet
name="intranet_$(date --utc +%Y-%m-%dT%H%M%SZ).dump"
trap 'rm -f -- "$folder/$name" "$folder/$name.age"' EXIT

pg_dump --no-password --format=custom --dbname=intranet --file="$folder/$name"
# An archive whose contents cannot be listed cannot be restored.
pg_restore --list "$folder/$name" >/dev/null

age --recipient "${AGE_RECIPIENT:?the public key that backups are encrypted with}" \
  --output "$folder/$name.age" "$folder/$name"
rclone copyto --immutable "$folder/$name.age" "offsite:intranet-backups/database/$name.age"
rclone check --one-way --include "$name.age" "$folder" offsite:intranet-backups/database

# Thirty days. Nothing goes before the newest one has arrived.
rclone delete --min-age 30d offsite:intranet-backups/database

printf 'Stored %s.\n' "$name.age"
