-- Which computers are in the account, and what did each tell last?
--
-- Devices of class "device" (what else there is has no patches, antivirus or software) that no
-- later reading has missed.
CREATE OR REPLACE VIEW datto_answers.computers AS
SELECT
  device.uid AS device_uid,
  coalesce(device."siteUid", '') AS site_uid,
  coalesce(nullif(site.name, ''), nullif(device."siteName", ''), '(site without a name)') AS site,
  coalesce(nullif(device.hostname, ''), device.uid) AS computer,
  device."deviceType" ->> 'category' AS kind,
  nullif(device."operatingSystem", '') AS operating_system,
  coalesce(site."onDemand", false) AS on_demand,
  device."lastSeen" AS last_seen,
  datto_answers.days_between(device."lastSeen", clock.as_of) AS days_silent,
  device."lastSeen" >= clock.as_of - interval '30 days' IS TRUE AS seen_lately,
  device."lastAuditDate" AS last_audit,
  device."lastReboot" AS last_restart,
  device."rebootRequired" IS TRUE AS restart_required,
  datto_answers.patch_state(
    device."operatingSystem",
    coalesce(site."onDemand", false),
    device."patchManagement" ->> 'patchStatus',
    device."lastAuditDate",
    device."lastSeen",
    clock.as_of
  ) AS patch_state,
  datto_answers.antivirus_state(
    device.antivirus ->> 'antivirusStatus', device."lastSeen", clock.as_of
  ) AS antivirus_state,
  device.antivirus ->> 'antivirusProduct' AS antivirus_product,
  device."warrantyDate" AS warranty_ends,
  clock.as_of
FROM devices AS device
CROSS JOIN datto_answers.clock
LEFT JOIN sites AS site ON site.uid = device."siteUid"
WHERE device._sdc_deleted_at IS NULL
  AND device.deleted IS NOT TRUE
  AND device."deviceClass" = 'device';
