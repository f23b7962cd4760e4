-- Which sites have open alerts, and how urgent are they?
SELECT
  "alertSourceInfo" ->> 'siteName' AS site,
  count(*) FILTER (WHERE priority = 'Critical') AS critical,
  count(*) FILTER (WHERE priority = 'High') AS high,
  count(*) FILTER (WHERE priority = 'Moderate') AS moderate,
  count(*) FILTER (WHERE priority = 'Low') AS low,
  count(*) FILTER (WHERE priority = 'Information') AS info,
  count(*) AS "all",
  min("timestamp")::date AS oldest
FROM datto_rmm.alerts
WHERE resolved IS NOT TRUE
GROUP BY site
ORDER BY critical DESC, high DESC, moderate DESC, low DESC, info DESC, site;
