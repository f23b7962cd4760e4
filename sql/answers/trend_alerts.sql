-- How many alerts were opened in each week?
--
-- Weeks begin on Monday; the last one is not over. It needs no history of its own, but it reaches
-- back only as far as resolved alerts were read (start_date).
CREATE OR REPLACE VIEW datto_answers.trend_alerts AS
SELECT
  date_trunc('week', opened_on)::date AS week,
  count(*) AS alerts,
  count(*) FILTER (WHERE is_urgent) AS urgent
FROM datto_answers.current_alerts
WHERE opened_on IS NOT NULL
GROUP BY date_trunc('week', opened_on)
ORDER BY week;
