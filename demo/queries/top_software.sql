-- Which software is installed on most devices?
SELECT name AS software, count(DISTINCT "deviceUid") AS devices, count(DISTINCT version) AS versions
FROM datto_rmm.current_software -- the view of sql/current_software.sql
GROUP BY name
ORDER BY devices DESC, software
LIMIT 10;
