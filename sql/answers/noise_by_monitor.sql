-- Which kinds of monitor made how many alerts in the last 30 days?
CREATE OR REPLACE VIEW datto_answers.noise_by_monitor AS
SELECT
  monitor,
  count(*) AS alerts,
  count(*) FILTER (WHERE is_urgent) AS urgent,
  count(DISTINCT device_uid) AS devices,
  count(DISTINCT site_uid) AS sites,
  count(*) FILTER (WHERE has_ticket) AS tickets,
  count(*) FILTER (WHERE is_open) AS still_open,
  round(
    (
      percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM resolved_on - opened_on))
      / 3600
    )::numeric,
    1
  ) AS median_hours
FROM datto_answers.current_alerts
WHERE is_recent
GROUP BY monitor
ORDER BY alerts DESC, monitor;
