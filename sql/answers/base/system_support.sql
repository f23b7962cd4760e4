-- Which of the account's operating systems are supported until when?
CREATE OR REPLACE VIEW datto_answers.system_support AS
WITH system AS (
  SELECT DISTINCT operating_system, as_of::date AS today FROM datto_answers.computers
)
SELECT
  system.operating_system,
  support.system,
  support.ends,
  support.ends - system.today AS days_left,
  CASE
    WHEN support.ends IS NULL THEN 'unknown'
    WHEN support.ends < system.today THEN 'out of support'
    WHEN support.ends <= system.today + 365 THEN 'ends within a year'
    ELSE 'supported'
  END AS state,
  support.source,
  support.checked_on
FROM system
LEFT JOIN LATERAL (
  SELECT *
  FROM datto_answers.support_dates
  WHERE system.operating_system ~* support_dates.pattern
  ORDER BY support_dates.place
  LIMIT 1
) AS support ON true;
