-- On which computers do patches fail, or stay uninstalled although they were approved?
--
-- Stuck are approved patches that have been out for more than 30 days.
CREATE OR REPLACE VIEW datto_answers.patch_trouble AS
WITH stuck AS (
  SELECT device_uid, count(*) AS patches, min(released) AS oldest
  FROM datto_answers.current_patches
  WHERE is_missing AND is_approved AND days_out > 30
  GROUP BY device_uid
)
SELECT
  computer.site_uid,
  computer.site,
  computer.device_uid,
  computer.computer,
  computer.patch_state,
  coalesce(stuck.patches, 0) AS stuck_patches,
  stuck.oldest AS oldest_release,
  computer.last_seen
FROM datto_answers.computers AS computer
LEFT JOIN stuck USING (device_uid)
WHERE computer.patch_state = 'failing'
  OR (stuck.patches > 0 AND datto_answers.is_patch_state_known(computer.patch_state))
ORDER BY
  computer.patch_state <> 'failing',
  stuck_patches DESC,
  oldest_release,
  computer.site,
  computer.computer;
