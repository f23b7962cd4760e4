-- Answers are about one account: of two that share their tables (the tap's setting account_column)
-- each would be judged by the other's clock and newest run.
DO $$
DECLARE
  accounts bigint := 1;
BEGIN
  IF EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = 'devices'::regclass AND attname = 'accountUid' AND NOT attisdropped
  ) THEN
    EXECUTE 'SELECT count(DISTINCT "accountUid") FROM devices' INTO accounts;
  END IF;
  IF accounts > 1 THEN
    RAISE EXCEPTION
      'the table of the devices holds % accounts, and answers are about one: load each account into a schema of its own',
      accounts;
  END IF;
END
$$;
