-- Whose warranty has ended, or ends within 90 days?
--
-- Where the API has no date, it is unknown: the scorecard counts those.
CREATE OR REPLACE VIEW datto_answers.warranty AS
SELECT
  site_uid,
  site,
  device_uid,
  computer,
  kind,
  warranty_ends,
  warranty_ends - as_of::date AS days_left,
  CASE WHEN warranty_ends < as_of::date THEN 'ended' ELSE 'ends soon' END AS state
FROM datto_answers.computers
WHERE warranty_ends <= as_of::date + 90
ORDER BY warranty_ends, site, computer;
