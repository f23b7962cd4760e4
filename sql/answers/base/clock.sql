-- When is now? The newest sign of life of any device.
--
-- Answers are about the account as it was read last: where the pipeline stopped yesterday, nothing
-- has gone silent since.
CREATE OR REPLACE VIEW datto_answers.clock AS
WITH newest AS MATERIALIZED ( -- or it would be worked out again for each row that asks
  SELECT max("lastSeen") AS as_of
  FROM devices
  WHERE _sdc_deleted_at IS NULL
)
SELECT as_of FROM newest;
