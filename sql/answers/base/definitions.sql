-- What counts as what, said once: for the answers of today and for the trends.

-- The patch state of a computer; the first that fits.
CREATE OR REPLACE FUNCTION datto_answers.patch_state(
  operating_system text,
  on_demand boolean,
  status text,
  last_audit timestamp,
  last_seen timestamp,
  as_of timestamp
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN operating_system LIKE '%Windows%' IS NOT TRUE OR on_demand THEN 'not patchable'
    WHEN status = 'NoPolicy' THEN 'no policy'
    WHEN last_audit IS NULL THEN 'no data'
    WHEN status IN ('FullyPatched', 'RebootRequired', 'ApprovedPending', 'InstallError') IS NOT TRUE
      THEN 'no data'
    WHEN last_seen >= as_of - interval '30 days' IS NOT TRUE THEN 'not seen'
    WHEN status = 'FullyPatched' THEN 'patched'
    WHEN status = 'RebootRequired' THEN 'restart due'
    WHEN status = 'ApprovedPending' THEN 'pending'
    ELSE 'failing'
  END
$$;

-- The states whose computers are the denominator of compliance.
CREATE OR REPLACE FUNCTION datto_answers.is_patch_state_known(patch_state text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT patch_state IN ('patched', 'restart due', 'pending', 'failing')
$$;

-- The antivirus state of a computer; the first that fits.
CREATE OR REPLACE FUNCTION datto_answers.antivirus_state(
  status text, last_seen timestamp, as_of timestamp
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN last_seen >= as_of - interval '30 days' IS NOT TRUE THEN 'not seen'
    WHEN status = 'RunningAndUpToDate' THEN 'covered'
    WHEN status = 'RunningAndNotUpToDate' THEN 'outdated'
    WHEN status = 'NotRunning' THEN 'not running'
    WHEN status = 'NotDetected' THEN 'not detected'
    ELSE 'no data'
  END
$$;

-- A share in percent, rounded down: 100 means all of them. Null where there is nothing to share.
CREATE OR REPLACE FUNCTION datto_answers.percent(part bigint, whole bigint)
RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT (100 * part / nullif(whole, 0))::integer
$$;

-- Whole days from one moment to another.
CREATE OR REPLACE FUNCTION datto_answers.days_between(earlier timestamp, later timestamp)
RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT floor(extract(epoch FROM later - earlier) / 86400)::integer
$$;

-- The day that a text begins with. Release dates are text of no promised form: any other is null,
-- and a day that its month lacks is one of the next month instead of an error.
CREATE OR REPLACE FUNCTION datto_answers.day_of(words text)
RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN words ~ '^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])'
      THEN (substr(words, 1, 7) || '-01')::date + substr(words, 9, 2)::integer - 1
  END
$$;

-- Severities and priorities in words for people.
CREATE OR REPLACE FUNCTION datto_answers.severity_name(severity text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT initcap(coalesce(nullif(severity, ''), 'UNSPECIFIED'))
$$;
