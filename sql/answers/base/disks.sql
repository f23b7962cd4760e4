-- Which disks are in the computers, and how much is free?
--
-- Local disks of the newest audit; computers that have not been seen for 30 days are left out.
CREATE OR REPLACE VIEW datto_answers.disks AS
SELECT
  computer.device_uid,
  computer.site_uid,
  computer.site,
  computer.computer,
  disk ->> 'diskIdentifier' AS disk,
  (disk ->> 'size')::numeric AS size,
  (disk ->> 'freespace')::numeric AS free,
  audit."lastAuditDate" AS read_on
FROM datto_answers.computers AS computer
JOIN device_audits AS audit ON audit."deviceUid" = computer.device_uid
CROSS JOIN LATERAL unnest(audit."logicalDisks") AS disk
WHERE computer.seen_lately
  AND (disk ->> 'size')::numeric > 0
  AND disk ->> 'freespace' IS NOT NULL
  AND coalesce(disk ->> 'description', '') !~* 'cd-?rom|dvd|network|removable';
