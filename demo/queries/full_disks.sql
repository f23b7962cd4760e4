-- Which disks are nearly full (less than a tenth free)?
SELECT
  device."siteName" AS site,
  device.hostname AS device,
  disk ->> 'diskIdentifier' AS disk,
  round(size / 1073741824) AS "size, GiB",
  round(free / 1073741824, 1) AS "free, GiB",
  round(100 * free / size, 1) AS "free, %",
  device."lastAuditDate"::date AS "as of"
FROM datto_rmm.device_audits AS audit
JOIN datto_rmm.devices AS device ON device.uid = audit."deviceUid"
CROSS JOIN LATERAL unnest(audit."logicalDisks") AS disk
CROSS JOIN LATERAL (
  SELECT (disk ->> 'size')::numeric, (disk ->> 'freespace')::numeric
) AS bytes (size, free)
WHERE size > 0 AND free < 0.1 * size
ORDER BY free / size, site, device, disk;
