-- Which software is on how many computers, in which versions?
CREATE OR REPLACE VIEW datto_answers.software AS
SELECT
  name,
  count(DISTINCT device_uid) AS computers,
  count(DISTINCT version) AS versions,
  mode() WITHIN GROUP (ORDER BY version) AS commonest_version
FROM datto_answers.current_software
GROUP BY name
ORDER BY computers DESC, name;
