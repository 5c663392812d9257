-- After a restore, before anybody is let in again: the script that restores stops when one of these fails.
\set ON_ERROR_STOP on

BEGIN READ ONLY;

DO $$
BEGIN
  IF (SELECT count(*) FROM app.people) = 0 THEN
    RAISE EXCEPTION 'the restored database knows nobody';
  END IF;
  IF (SELECT max(changed_at) FROM app.bookings) < now() - interval '2 days' THEN
    RAISE EXCEPTION 'the restored database is more than two days old';
  END IF;
END
$$;

COMMIT;
