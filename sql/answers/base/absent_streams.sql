-- Empty stand-ins for streams that an account may not load, with the columns that the views use.
CREATE TABLE IF NOT EXISTS datto_answers_absent.alerts (
  "alertUid" text,
  priority text,
  resolved boolean,
  "resolvedOn" timestamp,
  "timestamp" timestamp,
  "ticketNumber" text,
  "alertSourceInfo" jsonb,
  "alertContextClass" text,
  _sdc_sync_started_at bigint
);
CREATE TABLE IF NOT EXISTS datto_answers_absent.device_audits (
  "deviceUid" text,
  "lastAuditDate" timestamp,
  "logicalDisks" jsonb[]
);
CREATE TABLE IF NOT EXISTS datto_answers_absent.device_software (
  "deviceUid" text,
  name text,
  version text,
  "lastAuditDate" timestamp
);
CREATE TABLE IF NOT EXISTS datto_answers_absent.device_patches (
  "deviceUid" text,
  "patchId" text,
  title text,
  severity text,
  "releaseDate" text,
  "installStatus" text,
  "lastAuditDate" timestamp
);
CREATE TABLE IF NOT EXISTS datto_answers_absent.site_patches (
  "siteUid" text,
  "patchId" text,
  title text,
  severity text,
  "releaseDate" text,
  "installStatus" text,
  "totalDevices" bigint,
  _sdc_deleted_at timestamp,
  _sdc_sync_started_at bigint
);

-- The history: copies of streams that stream maps make (docs/answers.md, "History").
CREATE TABLE IF NOT EXISTS datto_answers_absent.devices_daily (
  uid text,
  day date,
  "siteUid" text,
  "deviceClass" text,
  "operatingSystem" text,
  "lastSeen" timestamp,
  "lastAuditDate" timestamp,
  "patchStatus" text,
  "antivirusStatus" text
);
CREATE TABLE IF NOT EXISTS datto_answers_absent.disks_by_audit (
  "deviceUid" text,
  "lastAuditDate" timestamp,
  "logicalDisks" jsonb[]
);
CREATE TABLE IF NOT EXISTS datto_answers_absent.patches_daily (
  "siteUid" text,
  "patchId" text,
  "installStatus" text,
  day date,
  severity text,
  "releaseDate" text,
  "totalDevices" bigint,
  _sdc_sync_started_at bigint
);
