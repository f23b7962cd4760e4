-- Which agents have not been heard of for 14 days or more?
CREATE OR REPLACE VIEW datto_answers.silent_agents AS
SELECT site_uid, site, device_uid, computer, kind, last_seen, days_silent
FROM datto_answers.computers
WHERE days_silent >= 14 OR last_seen IS NULL
ORDER BY last_seen NULLS FIRST, site, computer;
