-- A shell command in SQL, for the backup of one day, that drops everything first and goes on after errors.
pg_restore -U intranet -d intranet -c /backups/intranet-20240301.dump

SELECT count(*) FROM bookings;

-- Written down whatever happened above.
INSERT INTO journal (what, at) VALUES ('restored', now());
