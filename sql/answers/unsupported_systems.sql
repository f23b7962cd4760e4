-- Which operating systems are out of support, or will be?
CREATE OR REPLACE VIEW datto_answers.unsupported_systems AS
SELECT
  coalesce(computer.operating_system, '(not told)') AS operating_system,
  support.system,
  support.ends AS support_ends,
  support.days_left,
  coalesce(support.state, 'unknown') AS state,
  count(*) AS computers,
  count(DISTINCT computer.site_uid) AS sites,
  support.source,
  support.checked_on
FROM datto_answers.computers AS computer
LEFT JOIN datto_answers.system_support AS support USING (operating_system)
GROUP BY
  computer.operating_system,
  support.system,
  support.ends,
  support.days_left,
  support.state,
  support.source,
  support.checked_on
ORDER BY support.ends NULLS LAST, computers DESC, operating_system;
