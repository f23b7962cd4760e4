-- Which Windows versions are in use, and where?
SELECT
  regexp_replace("operatingSystem", '^Microsoft | [0-9.]+$', '', 'g') AS windows,
  substring("operatingSystem" FROM '[0-9.]+$') AS build,
  count(*) AS devices,
  count(DISTINCT "siteUid") AS sites,
  count(*) FILTER (WHERE "rebootRequired") AS "reboot due"
FROM datto_rmm.devices
WHERE "operatingSystem" LIKE '%Windows%'
GROUP BY windows, build
ORDER BY devices DESC, windows, build;
