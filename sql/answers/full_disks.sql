-- Which disks are nearly full, and which will be?
--
-- Less than a tenth free, or full within 60 days if it goes on as in the last weeks. Days to full
-- are empty where no line can be trusted, or where the history is not kept.
CREATE OR REPLACE VIEW datto_answers.full_disks AS
SELECT
  disk.site_uid,
  disk.site,
  disk.device_uid,
  disk.computer,
  disk.disk,
  round(disk.size / 1073741824, 1) AS size_gib,
  round(disk.free / 1073741824, 1) AS free_gib,
  round(100 * disk.free / disk.size, 1) AS free_percent,
  disk.free < 0.1 * disk.size AS is_nearly_full,
  forecast.days_to_full::integer AS days_to_full,
  disk.read_on
FROM datto_answers.disks AS disk
LEFT JOIN datto_answers.disk_forecast AS forecast USING (device_uid, disk)
WHERE disk.free < 0.1 * disk.size OR forecast.days_to_full <= 60
ORDER BY free_percent, site, computer, disk;
