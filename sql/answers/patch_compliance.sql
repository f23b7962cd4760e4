-- How well patched are the computers of each site?
CREATE OR REPLACE VIEW datto_answers.patch_compliance AS
SELECT
  site_uid,
  max(site) AS site,
  count(*) AS computers,
  count(*) FILTER (WHERE patch_state = 'patched') AS patched,
  count(*) FILTER (WHERE patch_state = 'restart due') AS restart_due,
  count(*) FILTER (WHERE patch_state = 'pending') AS pending,
  count(*) FILTER (WHERE patch_state = 'failing') AS failing,
  count(*) FILTER (WHERE datto_answers.is_patch_state_known(patch_state)) AS known,
  datto_answers.percent(
    count(*) FILTER (WHERE patch_state = 'patched'),
    count(*) FILTER (WHERE datto_answers.is_patch_state_known(patch_state))
  ) AS compliance,
  count(*) FILTER (WHERE patch_state = 'not seen') AS not_seen,
  count(*) FILTER (WHERE patch_state = 'no data') AS no_data,
  count(*) FILTER (WHERE patch_state = 'no policy') AS no_policy,
  count(*) FILTER (WHERE patch_state = 'not patchable') AS not_patchable
FROM datto_answers.computers
GROUP BY site_uid
ORDER BY compliance NULLS LAST, known DESC, site;
