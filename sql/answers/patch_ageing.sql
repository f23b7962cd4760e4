-- How long have missing patches been out, by severity?
--
-- Approved or not, on computers whose patch state is known; what is missing on the others stands
-- beside it.
CREATE OR REPLACE VIEW datto_answers.patch_ageing AS
WITH missing AS (
  SELECT severity, device_uid, is_counted, is_approved, days_out
  FROM datto_answers.current_patches
  WHERE is_missing
),
severities (severity, place) AS (
  VALUES ('Critical', 1), ('Important', 2), ('Moderate', 3), ('Low', 4), ('Unspecified', 5)
)
SELECT
  severity,
  count(*) FILTER (WHERE is_counted) AS missing,
  count(*) FILTER (WHERE is_counted AND days_out <= 14) AS days_0_14,
  count(*) FILTER (WHERE is_counted AND days_out BETWEEN 15 AND 30) AS days_15_30,
  count(*) FILTER (WHERE is_counted AND days_out BETWEEN 31 AND 90) AS days_31_90,
  count(*) FILTER (WHERE is_counted AND days_out > 90) AS days_over_90,
  count(*) FILTER (WHERE is_counted AND days_out IS NULL) AS age_unknown,
  count(*) FILTER (WHERE is_counted AND is_approved) AS approved,
  count(DISTINCT device_uid) FILTER (WHERE is_counted) AS computers,
  count(*) FILTER (WHERE NOT is_counted) AS on_unknown_computers
FROM severities
FULL JOIN missing USING (severity)
GROUP BY severity, place
ORDER BY place NULLS LAST, severity;
