-- On how many computers of each site does an antivirus run that is up to date?
CREATE OR REPLACE VIEW datto_answers.antivirus_cover AS
SELECT
  site_uid,
  max(site) AS site,
  count(*) AS computers,
  count(*) FILTER (WHERE antivirus_state = 'covered') AS covered,
  count(*) FILTER (WHERE antivirus_state = 'outdated') AS outdated,
  count(*) FILTER (WHERE antivirus_state = 'not running') AS not_running,
  count(*) FILTER (WHERE antivirus_state = 'not detected') AS not_detected,
  count(*) FILTER (WHERE antivirus_state NOT IN ('not seen', 'no data')) AS known,
  datto_answers.percent(
    count(*) FILTER (WHERE antivirus_state = 'covered'),
    count(*) FILTER (WHERE antivirus_state NOT IN ('not seen', 'no data'))
  ) AS cover,
  count(*) FILTER (WHERE antivirus_state = 'not seen') AS not_seen,
  count(*) FILTER (WHERE antivirus_state = 'no data') AS no_data
FROM datto_answers.computers
GROUP BY site_uid
ORDER BY cover NULLS LAST, known DESC, site;
