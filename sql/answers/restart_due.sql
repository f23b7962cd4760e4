-- Which computers wait for a restart?
--
-- Computers that have not been seen for 30 days are left out: nobody knows.
CREATE OR REPLACE VIEW datto_answers.restart_due AS
SELECT
  site_uid,
  site,
  device_uid,
  computer,
  kind,
  last_restart,
  datto_answers.days_between(last_restart, as_of) AS days_since_restart,
  last_seen
FROM datto_answers.computers
WHERE seen_lately AND (restart_required OR patch_state = 'restart due')
ORDER BY last_restart NULLS FIRST, site, computer;
