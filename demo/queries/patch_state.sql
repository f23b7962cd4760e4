-- How well patched are the computers of each site?
SELECT
  "siteName" AS site,
  count(*) AS computers,
  count(*) FILTER (WHERE status = 'FullyPatched') AS patched,
  count(*) FILTER (WHERE status = 'ApprovedPending') AS pending,
  count(*) FILTER (WHERE status = 'RebootRequired') AS reboot,
  count(*) FILTER (WHERE status = 'InstallError') AS failed,
  count(*) FILTER (WHERE status IN ('NoPolicy', 'NoData')) AS unknown,
  round(100.0 * count(*) FILTER (WHERE status = 'FullyPatched') / count(*)) AS "%"
FROM datto_rmm.devices
CROSS JOIN LATERAL (SELECT "patchManagement" ->> 'patchStatus') AS patch (status)
WHERE status IS NOT NULL
GROUP BY "siteUid", site
ORDER BY "%", computers DESC, site;
