-- Which patches are missing most often?
--
-- From site_patches, which costs a call a site: numbers of computers, but not which ones.
CREATE OR REPLACE VIEW datto_answers.missing_patches AS
SELECT
  patch_id,
  max(title) AS title,
  severity,
  max(released) AS released,
  max(days_out) AS days_out,
  sum(computers)::bigint AS computers,
  coalesce(sum(computers) FILTER (WHERE is_approved), 0)::bigint AS approved,
  count(DISTINCT site_uid) AS sites
FROM datto_answers.current_site_patches
WHERE is_missing
GROUP BY patch_id, severity
ORDER BY computers DESC, title, patch_id;
