"""The vocabulary of an MSP's account: systems, models, software, patches, components, filters.

Product names and Windows build numbers are the real ones, so that questions such as "which Windows
versions do we run" get believable answers. Everything that identifies anybody is invented.
"""

from __future__ import annotations

from dataclasses import dataclass

PLATFORM = "merlot"
"""The vendor platform whose links the rows carry."""

ACCOUNTS = (
    "Nordlicht Systemhaus",
    "Brightwater Managed Services",
    "Harbour & Söhne IT",
    "Kestrel Réseaux",
    "Puffin Świat IT",
)
"""What MSPs are called; the seed chooses."""


@dataclass(frozen=True, slots=True)
class System:
    """What a device is: its class, what it is called and how often it occurs within its class."""

    device_class: str
    category: str | None
    type: str | None
    operating_system: str | None
    family: str
    prefix: str
    weight: int

    @property
    def is_windows(self) -> bool:
        """Whether patches are managed on it."""
        return self.family in {"windows", "windows-server"}


_TOWER, _NOTEBOOK, _RACK = "Desktop", "Notebook", "Rack Mount Chassis"


def _windows(name: str, category: str, chassis: str, prefix: str, weight: int) -> System:
    family = "windows-server" if "Server" in name else "windows"
    return System("device", category, chassis, f"Microsoft {name}", family, prefix, weight)


SYSTEMS: tuple[System, ...] = (
    _windows("Windows 11 Pro 10.0.26100", "Laptop", _NOTEBOOK, "LT", 20),
    _windows("Windows 11 Pro 10.0.26100", "Desktop", _TOWER, "PC", 12),
    _windows("Windows 11 Pro 10.0.26200", "Laptop", _NOTEBOOK, "LT", 7),
    _windows("Windows 11 Enterprise 10.0.26200", "Laptop", _NOTEBOOK, "LT", 4),
    _windows("Windows 11 Pro 10.0.22631", "Laptop", _NOTEBOOK, "LT", 9),
    _windows("Windows 11 Pro 10.0.22631", "Desktop", _TOWER, "PC", 8),
    _windows("Windows 10 Pro 10.0.19045", "Desktop", _TOWER, "PC", 11),
    _windows("Windows 10 Pro 10.0.19045", "Laptop", _NOTEBOOK, "LT", 6),
    _windows("Windows 10 Enterprise LTSC 10.0.19044", "Desktop", _TOWER, "PC", 1),
    _windows("Windows Server 2016 Standard 10.0.14393", "Server", _RACK, "SRV", 2),
    _windows("Windows Server 2019 Standard 10.0.17763", "Server", _RACK, "SRV", 4),
    _windows("Windows Server 2022 Standard 10.0.20348", "Server", _RACK, "SRV", 6),
    _windows("Windows Server 2022 Datacenter 10.0.20348", "Server", _RACK, "SRV", 1),
    _windows("Windows Server 2025 Standard 10.0.26100", "Server", _RACK, "SRV", 2),
    System("device", "Laptop", "MacBook Pro", "macOS 15.6.1", "mac", "MAC", 3),
    System("device", "Laptop", "MacBook Air", "macOS 26.0.1", "mac", "MAC", 2),
    System("device", "Server", _RACK, "Ubuntu 24.04.3 LTS", "linux", "LNX", 1),
    System("device", "Server", _RACK, "Debian GNU/Linux 12 (bookworm)", "linux", "LNX", 1),
    System("esxihost", "ESXi Host", "VMware ESXi Server", None, "esxi", "ESX", 1),
    System("printer", "Printer", "Laser Printer", None, "printer", "PRN", 3),
    System("printer", "Printer", "Multifunction Printer", None, "printer", "MFP", 2),
    System("rmmnetworkdevice", "Network Device", "Switch", None, "network", "SW", 3),
    System("rmmnetworkdevice", "Network Device", "Firewall", None, "network", "FW", 2),
    System("rmmnetworkdevice", "Network Device", "Wireless Access Point", None, "network", "AP", 3),
    System("unknown", None, None, None, "unknown", "UNK", 1),
)

SUPPORT_ENDS: dict[str, str] = {
    "Microsoft Windows 11 Pro 10.0.26100": "2026-10-13",
    "Microsoft Windows 11 Pro 10.0.26200": "2027-10-12",
    "Microsoft Windows 11 Enterprise 10.0.26200": "2028-10-10",
    "Microsoft Windows 11 Pro 10.0.22631": "2025-11-11",
    "Microsoft Windows 10 Pro 10.0.19045": "2025-10-14",
    "Microsoft Windows 10 Enterprise LTSC 10.0.19044": "2027-01-12",
    "Microsoft Windows Server 2016 Standard 10.0.14393": "2027-01-12",
    "Microsoft Windows Server 2019 Standard 10.0.17763": "2029-01-09",
    "Microsoft Windows Server 2022 Standard 10.0.20348": "2031-10-14",
    "Microsoft Windows Server 2022 Datacenter 10.0.20348": "2031-10-14",
    "Microsoft Windows Server 2025 Standard 10.0.26100": "2034-11-14",
    "Ubuntu 24.04.3 LTS": "2029-05-31",
    "Debian GNU/Linux 12 (bookworm)": "2028-06-30",
}
"""The last day of the vendor's support; Apple publishes none."""

CLASS_MIX: dict[str, int] = {
    "device": 86,
    "esxihost": 3,
    "printer": 5,
    "rmmnetworkdevice": 5,
    "unknown": 1,
}
"""Devices of each class among any hundred."""

ANTIVIRUS = ("Windows Defender", "Datto AV", "Bitdefender Endpoint Security", "SentinelOne", "ESET")
ANTIVIRUS_STATUS = ("RunningAndUpToDate",) * 17 + (
    "RunningAndNotUpToDate",
    "NotRunning",
    "NotDetected",
)
SOFTWARE_STATUS = ("Unmanaged", "Compliant", "Compliant", "NonCompliant")
AGENT_VERSIONS = ("4.4.2500.2500", "4.4.2498.2498", "4.4.2460.2460")
AREAS = (
    "Reception",
    "Warehouse",
    "Büro Süd",
    "Étage 2",
    "Kancelaria",
    "会議室",
    "Λογιστήριο",
    "Lab",
)


@dataclass(frozen=True, slots=True)
class Udf:
    """A user-defined field that the account uses; `share` says how often it is filled."""

    ordinal: int
    label: str | None
    type: str
    share: float


UDFS: tuple[Udf, ...] = (
    Udf(1, "Service tier", "STRING", 0.9),
    Udf(2, "Asset tag", "STRING", 0.8),
    Udf(3, "BitLocker recovery key", "STRING", 0.55),
    Udf(4, "Bought on", "DATE", 0.5),
    Udf(5, "Under contract", "BOOLEAN", 0.6),
    Udf(6, "Monthly fee", "NUMBER", 0.4),
    Udf(11, "Room", "STRING", 0.35),
    Udf(30, "Last backup check", "STRING", 0.3),
    Udf(42, None, "STRING", 0.05),
    Udf(117, "Win 11 ready", "BOOLEAN", 0.2),
    Udf(300, "Import batch", "STRING", 0.03),
)
SERVICE_TIERS = ("Gold", "Silver", "Bronze", "Platine – 24/7")

COMPUTER_MODELS: dict[str, tuple[tuple[str, str], ...]] = {
    "Laptop": (
        ("Dell Inc.", "Latitude 5450"),
        ("Dell Inc.", "Latitude 7440"),
        ("LENOVO", "ThinkPad T14 Gen 5"),
        ("LENOVO", "ThinkPad X1 Carbon Gen 12"),
        ("HP", "HP EliteBook 840 14 inch G11 Notebook PC"),
        ("Microsoft Corporation", "Surface Laptop 6 for Business"),
    ),
    "Desktop": (
        ("Dell Inc.", "OptiPlex 7010"),
        ("LENOVO", "ThinkCentre M70q Gen 4"),
        ("HP", "HP ProDesk 400 G9 SFF Desktop PC"),
        ("FUJITSU", "ESPRIMO D7013"),
    ),
    "Server": (
        ("Dell Inc.", "PowerEdge R450"),
        ("HPE", "ProLiant DL380 Gen10 Plus"),
        ("VMware, Inc.", "VMware20,1"),
        ("Microsoft Corporation", "Virtual Machine"),
    ),
}
MAC_MODELS = (("Apple Inc.", "MacBookPro18,3"), ("Apple Inc.", "Mac15,12"))
HOST_MODELS = (("Dell Inc.", "PowerEdge R750"), ("HPE", "ProLiant DL385 Gen11"))
PRINTER_MODELS = (
    ("HP", "HP LaserJet Pro M404dn"),
    ("Brother", "Brother MFC-L8900CDW"),
    ("KYOCERA", "ECOSYS M5526cdw"),
    ("Canon", "imageRUNNER ADVANCE DX C3826i"),
)
CLIENT_CPUS = (
    "Intel(R) Core(TM) Ultra 5 125U",
    "Intel(R) Core(TM) i5-1345U",
    "Intel(R) Core(TM) i7-12700T CPU @ 1.40GHz",
    "AMD Ryzen 7 PRO 7840U w/ Radeon 780M Graphics",
)
SERVER_CPUS = (
    "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz",
    "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz",
    "AMD EPYC 7313P 16-Core Processor",
)
VIDEO_BOARDS = (
    "Intel(R) Iris(R) Xe Graphics",
    "Intel(R) UHD Graphics 770",
    "AMD Radeon(TM) Graphics",
    "NVIDIA RTX A2000",
)
DISPLAYS = (
    ("DELL P2422H", 1920, 1080),
    ("LEN T27p-30", 3840, 2160),
    ("Generic PnP Monitor", 1920, 1200),
)
NIC_NAMES = (
    "Intel(R) Ethernet Connection (17) I219-LM",
    "Realtek PCIe GbE Family Controller",
    "Intel(R) Wi-Fi 6E AX211 160MHz",
)
MEMORY_MAKERS = ("Samsung", "SK Hynix", "Micron Technology", "Kingston")
MAC_PREFIXES = ("F4A80D", "3C2C30", "8C04BA", "E4A8DF")

CLIENT_SOFTWARE: tuple[tuple[str, str], ...] = (
    ("Microsoft 365 Apps for business - en-us", "16.0.19127"),
    ("Microsoft Edge", "139.0.3405"),
    ("Microsoft Edge WebView2 Runtime", "139.0.3405"),
    ("Microsoft OneDrive", "25.149.0803"),
    ("Microsoft Teams", "25198.1109.3837"),
    ("Microsoft Visual C++ 2015-2022 Redistributable (x64) - 14.44.35211", "14.44.35211"),
    ("Microsoft Visual C++ 2015-2022 Redistributable (x86) - 14.44.35211", "14.44.35211"),
    ("Microsoft Windows Desktop Runtime - 8.0.19 (x64)", "8.0.19"),
    ("Google Chrome", "139.0.7258"),
    ("Mozilla Firefox (x64 de)", "142.0"),
    ("Adobe Acrobat (64-bit)", "25.001.20630"),
    ("7-Zip 24.09 (x64 edition)", "24.09"),
    ("Notepad++ (64-bit x64)", "8.8.5"),
    ("Zoom Workplace", "6.5.11"),
    ("VLC media player", "3.0.21"),
    ("Datto RMM", "4.4.2500"),
    ("Datto EDR Agent", "3.14.0"),
    ("Splashtop for RMM", "3.7.4"),
    ("TeamViewer", "15.69.5"),
    ("Intel(R) Graphics Software", "25.22.1502"),
    ("Dell SupportAssist", "4.9.0"),
    ("Lenovo Commercial Vantage", "20.2506.39"),
    ("HP Support Assistant", "9.47.41"),
    ("DATEV-Benutzerverwaltung", "19.2"),
    ("Płatnik", "10.02.002"),
    ("Sage 50 Comptabilité – édition française", "31.0"),
    ("弥生会計 25", "31.2.1"),
    ("PuTTY release 0.83 (64-bit)", "0.83"),
    ("Git", "2.51.0"),
    ("Python 3.12.11 (64-bit)", "3.12.11150"),
    ("FortiClient VPN", "7.4.3"),
    ("Cisco Secure Client - AnyConnect VPN", "5.1.10"),
    ("Paint.NET", "5.1.8"),
    ("GIMP", "3.0.4"),
    ("KeePass Password Safe", "2.59"),
    ("LibreOffice", "25.8.1"),
    ("Greenshot", "1.3.296"),
    ("FileZilla", "3.69.3"),
    ("PDF24 Creator", "11.28.0"),
    ("Java 8 Update 461 (64-bit)", "8.0.4610"),
)
SERVER_SOFTWARE: tuple[tuple[str, str], ...] = (
    ("Microsoft SQL Server 2019 (64-bit)", "15.0.4430"),
    ("Microsoft SQL Server 2022 (64-bit)", "16.0.4212"),
    ("SQL Server Management Studio", "20.2.37"),
    ("Veeam Agent for Microsoft Windows", "6.3.1"),
    ("Datto Windows Agent", "2.8.0"),
    ("Microsoft Exchange Server 2019 Cumulative Update 15", "15.2.1748"),
    ("VMware Tools", "12.5.3"),
    ("IIS URL Rewrite Module 2", "7.2.1993"),
    ("Microsoft ODBC Driver 18 for SQL Server", "18.5.1"),
    ("Microsoft Azure AD Connect", "2.5.76"),
)
MAC_SOFTWARE: tuple[tuple[str, str], ...] = (
    ("Safari", "18.6"),
    ("Xcode", "16.4"),
    ("Microsoft Excel", "16.100"),
    ("Microsoft Word", "16.100"),
    ("1Password", "8.11.6"),
    ("Slack", "4.45.69"),
    ("zoom.us", "6.5.11"),
    ("Keynote", "14.4"),
    ("iTerm", "3.5.14"),
    ("Sketch", "2025.2.4"),
)
LINUX_SOFTWARE: tuple[tuple[str, str], ...] = (
    ("openssh-server", "1:9.6p1-3ubuntu13"),
    ("nginx", "1.24.0-2ubuntu7"),
    ("postgresql-16", "16.10-0ubuntu0.24.04"),
    ("docker-ce", "5:28.3.3-1"),
    ("systemd", "255.4-1ubuntu8"),
    ("bash", "5.2.21-2ubuntu4"),
    ("curl", "8.5.0-2ubuntu10"),
    ("openssl", "3.0.13-0ubuntu3"),
)
RUNTIME_LINES = (
    "Security Update for Microsoft Office 2016 (KB{number}) 64-Bit Edition",
    "Update for Microsoft Office 2016 (KB{number}) 64-Bit Edition",
    "Microsoft .NET Host FX Resolver - {major}.0.{minor} (x64)",
    "Microsoft ASP.NET Core {major}.0.{minor} - Shared Framework (x64)",
    "Microsoft Visual Studio Language Pack {number} - DEU",
    "Intel(R) Chipset Device Software {major}.{minor}.{number}",
)
"""Entries of which a machine can have hundreds."""


@dataclass(frozen=True, slots=True)
class PatchLine:
    """Patches that follow one another; where they supersede, the newest alone is on offer."""

    title: str
    category: str
    severity: str
    supersedes: bool


PATCH_LINES: tuple[PatchLine, ...] = (
    PatchLine(
        "Cumulative Update for {system} for x64-based Systems (KB{kb})",
        "Security Updates",
        "CRITICAL",
        supersedes=True,
    ),
    PatchLine(
        "Cumulative Update for .NET Framework 3.5 and 4.8.1 for {system} (KB{kb})",
        "Updates",
        "IMPORTANT",
        supersedes=True,
    ),
    PatchLine(
        "Security Intelligence Update for Microsoft Defender Antivirus - KB{kb}",
        "Definition Updates",
        "LOW",
        supersedes=True,
    ),
    PatchLine(
        "Windows Malicious Software Removal Tool x64 - v5.{minor} (KB{kb})",
        "Update Rollups",
        "UNSPECIFIED",
        supersedes=True,
    ),
    PatchLine(
        "Servicing Stack Update for {system} for x64-based Systems (KB{kb})",
        "Security Updates",
        "CRITICAL",
        supersedes=False,
    ),
    PatchLine(
        "Update for Microsoft Office 2016 (KB{kb}) 64-Bit Edition",
        "Critical Updates",
        "MODERATE",
        supersedes=False,
    ),
    PatchLine(
        "Security Update for Microsoft Office 2016 (KB{kb}) 64-Bit Edition",
        "Security Updates",
        "IMPORTANT",
        supersedes=False,
    ),
    PatchLine(
        "Intel - Net - 12.19.{minor}.{kb}",
        "Drivers",
        "UNSPECIFIED",
        supersedes=False,
    ),
    PatchLine(
        "Realtek Semiconductor Corp. - MEDIA - 6.0.{minor}.1",
        "Drivers",
        "UNSPECIFIED",
        supersedes=False,
    ),
)
PATCH_FAMILIES: dict[str, str] = {
    "windows": "Windows 11 Version 24H2",
    "windows-server": "Microsoft server operating system version 21H2",
}
PATCHES_RELEASED = 200
"""Patches of a family that are out when an account begins, oldest first."""
PATCHES_PER_FAMILY = 240
"""The others come out while it lives, one every three days."""

COMPONENT_LINES: tuple[tuple[str, str], ...] = (
    ("Clean temporary files", "scripts"),
    ("Restart print spooler", "scripts"),
    ("Get BitLocker recovery key", "scripts"),
    ("Deploy Google Chrome", "applications"),
    ("Uninstall Java 8", "applications"),
    ("Check last backup", "monitors"),
    ("Audit local administrators", "scripts"),
    ("Disk health (S.M.A.R.T.)", "monitors"),
    ("Windows 11 readiness", "monitors"),
    ("Set DNS servers", "scripts"),
    ("Nettoyage du profil itinérant", "scripts"),
    ("Überprüfung der Ereignisprotokolle", "monitors"),
)

DEFAULT_FILTERS: tuple[tuple[str, str, str], ...] = (
    ("All Devices", "", ""),
    ("All Windows Devices", "family", "windows"),
    ("All Servers", "category", "Server"),
    ("All Laptops", "category", "Laptop"),
    ("All Desktops", "category", "Desktop"),
    ("All Mac Devices", "family", "mac"),
    ("All Linux Devices", "family", "linux"),
    ("All ESXi Hosts", "class", "esxihost"),
    ("All Printers", "class", "printer"),
    ("All Network Devices", "class", "rmmnetworkdevice"),
    ("Devices Offline", "online", "no"),
    ("Devices Online", "online", "yes"),
    ("Reboot Required", "reboot", "yes"),
)
"""Name, what is looked at and what it must be."""

SITE_NOTES = (
    None,
    None,
    None,
    "Main contact only by phone until 17:00.",
    "VPN change window: first Saturday.",
    "Schlüssel beim Pförtner",
)
SITE_DESCRIPTIONS = (
    None,
    "",
    "Managed, full contract",
    "Break-fix only",
    "Zweigstelle",
    "Siège social",
)
VARIABLE_NAMES = (
    "BackupRepository",
    "SmtpRelay",
    "LicenceKeyESET",
    "InstallToken",
    "ProxyException",
    "VpnGateway",
    "LocalAdminPassword",
    "TimeServer",
)
MASKED_VARIABLES = {"LicenceKeyESET", "InstallToken", "LocalAdminPassword"}
