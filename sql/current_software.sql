-- What is installed now, and no longer what was.
--
-- device_software keeps every row it ever had: a title that was uninstalled is simply missing from
-- the device's next audit, and nothing deletes its row. Each row therefore carries the date of the
-- audit that saw it last; the rows of a device's newest audit are its current software.
--
-- A device that has never been audited has no date and, as a rule, no rows; IS NOT DISTINCT FROM
-- keeps those that there are. Devices that left the account keep their last rows here; a join with
-- devices leaves them out, where their own rows are removed (emit_activate_version_messages).
--
-- Run once, after the first load; adapt the schema's name if yours is another.
CREATE OR REPLACE VIEW datto_rmm.current_software AS
SELECT software."deviceUid", software.name, software.version, software."lastAuditDate"
FROM datto_rmm.device_software AS software
JOIN (
  SELECT "deviceUid", max("lastAuditDate") AS "lastAuditDate"
  FROM datto_rmm.device_software
  GROUP BY "deviceUid"
) AS newest ON newest."deviceUid" = software."deviceUid"
WHERE software."lastAuditDate" IS NOT DISTINCT FROM newest."lastAuditDate";
