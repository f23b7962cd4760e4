-- Which devices made how many alerts in the last 30 days?
CREATE OR REPLACE VIEW datto_answers.noise_by_device AS
SELECT
  site_uid,
  max(site) AS site,
  device_uid,
  max(device) AS device,
  count(*) AS alerts,
  count(*) FILTER (WHERE is_urgent) AS urgent,
  count(DISTINCT monitor) AS monitors,
  count(*) FILTER (WHERE has_ticket) AS tickets,
  count(*) FILTER (WHERE is_open) AS still_open
FROM datto_answers.current_alerts
WHERE is_recent
GROUP BY site_uid, device_uid
ORDER BY alerts DESC, site, device;
