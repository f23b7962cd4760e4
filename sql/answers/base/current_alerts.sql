-- Which alerts have there been, and which are open now?
--
-- Every run reads all open alerts: one that the newest run did not see again is not open any more,
-- although nothing has said that it was resolved.
CREATE OR REPLACE VIEW datto_answers.current_alerts AS
WITH newest AS MATERIALIZED (
  SELECT max(_sdc_sync_started_at) AS run FROM alerts WHERE resolved IS NOT TRUE
)
SELECT
  alert."alertUid" AS alert_uid,
  alert."alertSourceInfo" ->> 'deviceUid' AS device_uid,
  coalesce(alert."alertSourceInfo" ->> 'siteUid', '') AS site_uid,
  coalesce(
    nullif(site.name, ''),
    nullif(alert."alertSourceInfo" ->> 'siteName', ''),
    '(site without a name)'
  ) AS site,
  coalesce(
    nullif(alert."alertSourceInfo" ->> 'deviceName', ''), alert."alertSourceInfo" ->> 'deviceUid'
  ) AS device,
  coalesce(
    nullif(regexp_replace(alert."alertContextClass", '_ctx$', ''), ''), '(not told)'
  ) AS monitor,
  coalesce(nullif(alert.priority, ''), 'Unknown') AS priority,
  alert.priority IN ('Critical', 'High') IS TRUE AS is_urgent,
  alert."timestamp" AS opened_on,
  alert."resolvedOn" AS resolved_on,
  alert.resolved IS NOT TRUE AND alert._sdc_sync_started_at = newest.run AS is_open,
  coalesce(alert."ticketNumber", '') <> '' AS has_ticket,
  alert."timestamp" > clock.as_of - interval '30 days' AS is_recent
FROM alerts AS alert
CROSS JOIN newest
CROSS JOIN datto_answers.clock
LEFT JOIN sites AS site ON site.uid = alert."alertSourceInfo" ->> 'siteUid';
