-- Makes every view of the schema datto_answers, or brings it up to date:
--
--   psql -f sql/answers/install.sql "$URI"
--
-- The streams are looked for in the schema datto_rmm; for another one: -v source=datto_acme.
-- Run it again after you have selected a further stream. docs/answers.md explains the answers.
\set ON_ERROR_STOP on
\if :{?source} \else \set source datto_rmm \endif
\set QUIET on
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS datto_answers;
CREATE SCHEMA IF NOT EXISTS datto_answers_absent;
-- A stream that was not loaded is found as an empty table in the second of these.
SET LOCAL search_path = :"source", datto_answers_absent;
\ir base/one_account.sql
\ir base/absent_streams.sql
\ir base/indexes.sql
\ir base/definitions.sql
\ir base/clock.sql
\ir base/computers.sql
\ir base/current_patches.sql
\ir base/current_site_patches.sql
\ir base/current_software.sql
\ir base/disks.sql
\ir base/disk_forecast.sql
\ir base/current_alerts.sql
\ir base/support_dates.sql
\ir base/system_support.sql
\ir patch_compliance.sql
\ir patch_ageing.sql
\ir patch_trouble.sql
\ir missing_patches.sql
\ir restart_due.sql
\ir silent_agents.sql
\ir antivirus_cover.sql
\ir warranty.sql
\ir unsupported_systems.sql
\ir full_disks.sql
\ir noise_by_monitor.sql
\ir noise_by_site.sql
\ir noise_by_device.sql
\ir software.sql
\ir scorecard.sql
\ir trend_computers.sql
\ir trend_patches.sql
\ir trend_alerts.sql
COMMIT;
