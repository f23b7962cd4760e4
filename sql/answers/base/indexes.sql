-- Missing patches are few among all: by an index, the answers about them need not read the table.
--
-- Whoever may not change the table gets the same answers, later; so does a view in its place.
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_index WHERE indrelid = 'device_patches'::regclass AND indpred IS NOT NULL
  ) THEN
    CREATE INDEX device_patches_missing
      ON device_patches ("deviceUid") WHERE "installStatus" <> 'INSTALLED';
  END IF;
EXCEPTION
  WHEN insufficient_privilege OR wrong_object_type THEN NULL;
END
$$;
