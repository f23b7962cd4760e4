-- Until when does the vendor of a system support it?
--
-- Data, not API: the first row whose pattern (a regular expression, case does not matter) fits the
-- name of the operating system. `ends` is the last day with security updates that are part of the
-- system; paid extensions do not count. `checked_on` is when somebody last compared the row with
-- its source; tests/answers/test_support_dates.py fails when that is a year ago. Apple publishes no
-- dates: a Mac's is unknown. Where a source names a month, it is the month's last day.
CREATE OR REPLACE VIEW datto_answers.support_dates AS
SELECT
  place,
  system,
  pattern,
  ends::date AS ends,
  source,
  checked_on::date AS checked_on
FROM (
  VALUES
  (110, 'Windows 11 IoT Enterprise LTSC 2024', 'Windows 11 IoT.*LTSC.*\.26100', '2034-10-10', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (111, 'Windows 11 Enterprise LTSC 2024', 'Windows 11.*LTSC.*\.26100', '2029-10-09', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (120, 'Windows 11 26H2 Enterprise, Education', 'Windows 11 (IoT )?(Enterprise|Education).*\.26300', '2029-10-09', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (121, 'Windows 11 26H2', 'Windows 11.*\.26300', '2028-10-10', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (122, 'Windows 11 26H1 Enterprise, Education', 'Windows 11 (IoT )?(Enterprise|Education).*\.28000', '2029-03-13', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (123, 'Windows 11 26H1', 'Windows 11.*\.28000', '2028-03-14', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (124, 'Windows 11 25H2 Enterprise, Education', 'Windows 11 (IoT )?(Enterprise|Education).*\.26200', '2028-10-10', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (125, 'Windows 11 25H2', 'Windows 11.*\.26200', '2027-10-12', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (126, 'Windows 11 24H2 Enterprise, Education', 'Windows 11 (IoT )?(Enterprise|Education).*\.26100', '2027-10-12', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (127, 'Windows 11 24H2', 'Windows 11.*\.26100', '2026-10-13', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (128, 'Windows 11 23H2 Enterprise, Education', 'Windows 11 (IoT )?(Enterprise|Education).*\.22631', '2026-11-10', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (129, 'Windows 11 23H2', 'Windows 11.*\.22631', '2025-11-11', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (130, 'Windows 11 22H2 Enterprise, Education', 'Windows 11 (IoT )?(Enterprise|Education).*\.22621', '2025-10-14', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (131, 'Windows 11 22H2', 'Windows 11.*\.22621', '2024-10-08', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (132, 'Windows 11 21H2 Enterprise, Education', 'Windows 11 (IoT )?(Enterprise|Education).*\.22000', '2024-10-08', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (133, 'Windows 11 21H2', 'Windows 11.*\.22000', '2023-10-10', 'https://learn.microsoft.com/windows/release-health/windows11-release-information', '2026-11-26'),
  (210, 'Windows 10 IoT Enterprise LTSC 2021', 'Windows 10 IoT.*LTSC.*\.19044', '2032-01-13', 'https://learn.microsoft.com/windows/release-health/release-information', '2026-11-26'),
  (211, 'Windows 10 Enterprise LTSC 2021', 'Windows 10.*LTSC.*\.19044', '2027-01-12', 'https://learn.microsoft.com/windows/release-health/release-information', '2026-11-26'),
  (212, 'Windows 10 Enterprise LTSC 2019', 'Windows 10.*LTSC.*\.17763', '2029-01-09', 'https://learn.microsoft.com/windows/release-health/release-information', '2026-11-26'),
  (213, 'Windows 10 Enterprise LTSB 2016', 'Windows 10.*LTSB.*\.14393', '2026-10-13', 'https://learn.microsoft.com/windows/release-health/release-information', '2026-11-26'),
  (220, 'Windows 10', 'Windows 10', '2025-10-14', 'https://learn.microsoft.com/windows/release-health/release-information', '2026-11-26'),
  (230, 'Windows 8.1', 'Windows 8\.1', '2023-01-10', 'https://learn.microsoft.com/lifecycle/products/windows-81', '2026-11-26'),
  (231, 'Windows 8', 'Windows 8', '2016-01-12', 'https://learn.microsoft.com/lifecycle/products/windows-8', '2026-11-26'),
  (232, 'Windows 7', 'Windows 7', '2020-01-14', 'https://learn.microsoft.com/lifecycle/products/windows-7', '2026-11-26'),
  (310, 'Windows Server 2025', 'Server 2025', '2034-11-14', 'https://learn.microsoft.com/lifecycle/products/windows-server-2025', '2026-11-26'),
  (311, 'Windows Server 2022', 'Server 2022', '2031-10-14', 'https://learn.microsoft.com/lifecycle/products/windows-server-2022', '2026-11-26'),
  (312, 'Windows Server 2019', 'Server 2019', '2029-01-09', 'https://learn.microsoft.com/lifecycle/products/windows-server-2019', '2026-11-26'),
  (313, 'Windows Server 2016', 'Server 2016', '2027-01-12', 'https://learn.microsoft.com/lifecycle/products/windows-server-2016', '2026-11-26'),
  (314, 'Windows Server 2012', 'Server 2012', '2023-10-10', 'https://learn.microsoft.com/lifecycle/products/windows-server-2012', '2026-11-26'),
  (315, 'Windows Server 2008', 'Server.? 2008', '2020-01-14', 'https://learn.microsoft.com/lifecycle/products/windows-server-2008', '2026-11-26'),
  (410, 'Ubuntu 26.04 LTS', 'Ubuntu 26\.04', '2031-04-30', 'https://ubuntu.com/about/release-cycle', '2026-11-26'),
  (411, 'Ubuntu 24.04 LTS', 'Ubuntu 24\.04', '2029-05-31', 'https://ubuntu.com/about/release-cycle', '2026-11-26'),
  (412, 'Ubuntu 22.04 LTS', 'Ubuntu 22\.04', '2027-04-30', 'https://ubuntu.com/about/release-cycle', '2026-11-26'),
  (413, 'Ubuntu 20.04 LTS', 'Ubuntu 20\.04', '2025-05-31', 'https://ubuntu.com/about/release-cycle', '2026-11-26'),
  (420, 'Debian 13', 'Debian.* 13(\D|$)', '2030-06-30', 'https://wiki.debian.org/LTS', '2026-11-26'),
  (421, 'Debian 12', 'Debian.* 12(\D|$)', '2028-06-30', 'https://wiki.debian.org/LTS', '2026-11-26'),
  (422, 'Debian 11', 'Debian.* 11(\D|$)', '2026-08-31', 'https://wiki.debian.org/LTS', '2026-11-26')
) AS known (place, system, pattern, ends, source, checked_on);
