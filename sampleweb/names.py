"""Invented names, titles and role headings in German and English. Any likeness to real people is chance."""

from __future__ import annotations

FIRST_NAMES = (
    "Alwin", "Anneli", "Arvid", "Beeke", "Birte", "Brünhild", "Carlotta", "Cord", "Dagny", "Detmar", "Eilika",
    "Elsbeth", "Enno", "Fenja", "Folkert", "Frauke", "Gesine", "Götz", "Gundel", "Hauke", "Hedda", "Ingmar",
    "Insa", "Jelto", "Jördis", "Jürgen", "Käthe", "Kersten", "Lasse", "Levke", "Lüder", "Maren", "Meinert",
    "Merle", "Mia", "Momme", "Nele", "Nils", "Okko", "Ove", "Priya", "Raik", "Renske", "Rurik", "Sünje",
    "Swantje", "Tomke", "Tjark", "Uta", "Volkmar", "Wiebke", "Wolfram", "Xaver", "Yasmin", "Zoltan",
)  # fmt: skip
LAST_NAMES = (
    "Achterfeld", "Ährenbach", "Amselgrund", "Birkenholt", "Blaumeister", "Brömmelkamp", "Buchenau",
    "Dachsberg", "Deichmüller", "Dünenwald", "Eckernholz", "Eibensee", "Fährmannsen", "Falkensteg",
    "Feldrainer", "Fichtenau", "Gänseblüm", "Ginsterloh", "Grünspecht", "Haferkorn-Lüth", "Halmensdorf",
    "Heidschnuck", "Hohenquell", "Immergrün", "Jägersloh", "Kahnführer", "Kiebitzmoor", "Königsforst",
    "Kranichau", "Lärchental", "Lindwurmer", "Löwenhagel", "Marschlander", "Mohnfelder", "Mückenthal",
    "Nebelhorner", "Nordkaper", "Öhlmühle", "Pappelreiher", "Querbach", "Rabenstieg", "Rübezagel",
    "Salzwedeler", "Schäfchen", "Schilfrohr", "Seerosen", "Strandläufer", "Süßkirsch", "Tannenhäher",
    "Torfstecher", "Überlinden", "Uferschwalb", "von der Wiesenau", "Wacholder", "Weißdorn", "Wellenbrink",
    "Windmöller", "Ziegenhorn", "Zitterpappel", "Zweigle", "Ashgrove", "Bramblewick", "Fenwater", "Hazelmoor",
    "Larkmeadow", "Otterburn-Hill", "Thistledown", "Wrenfield",
)  # fmt: skip

FIELDS = ("cs", "econ", "german", "mechanical")
DEPARTMENTS = {
    "de": {
        "cs": "Institut für Informatik",
        "econ": "Fakultät für Wirtschaftswissenschaften",
        "german": "Germanistisches Seminar",
        "mechanical": "Fakultät für Maschinenbau",
    },
    "en": {
        "cs": "Department of Computer Science",
        "econ": "School of Economics",
        "german": "Department of German Studies",
        "mechanical": "Department of Mechanical Engineering",
    },
}
UNIVERSITIES = (
    ("de", "Universität Grünfurt"),
    ("en", "Lakemoor University"),
    ("de", "Technische Universität Altenhöhe"),
    ("de", "Universität Nordkoog"),
    ("en", "University of Westerfen"),
    ("de", "Hochschule Bärenbrück"),
    ("de", "Universität Silbersee"),
    ("en", "Eastcombe Institute of Technology"),
)

ROLE_ORDER = ("professor", "researcher", "doctoral", "student", "administration", "technical", "former")
ROLE_WEIGHTS = (0.2, 0.24, 0.28, 0.06, 0.09, 0.05, 0.08)
HEADINGS = {
    "de": {
        "professor": "Professorinnen und Professoren",
        "researcher": "Wissenschaftliche Mitarbeiter",
        "doctoral": "Doktorandinnen und Doktoranden",
        "student": "Studentische Hilfskräfte",
        "administration": "Sekretariat",
        "technical": "Technischer Dienst",
        "former": "Ehemalige Mitarbeiter",
    },
    "en": {
        "professor": "Professors",
        "researcher": "Research Staff",
        "doctoral": "PhD Students",
        "student": "Student Assistants",
        "administration": "Administration",
        "technical": "Technical Staff",
        "former": "Former Members",
    },
}
ROLES = {
    "de": {
        "professor": ("Lehrstuhlinhaber", "Professorin", "Juniorprofessor", "Universitätsprofessor"),
        "researcher": (
            "Wissenschaftlicher Mitarbeiter",
            "Wissenschaftliche Mitarbeiterin",
            "Akademischer Rat",
            "Postdoc",
        ),
        "doctoral": ("Doktorand", "Doktorandin", "Promotionsstudentin"),
        "student": ("Studentische Hilfskraft", "Wissenschaftliche Hilfskraft"),
        "administration": ("Sekretariat", "Sekretärin", "Verwaltungsangestellte"),
        "technical": ("Technischer Mitarbeiter", "Systemadministrator", "Laborleiter"),
        "former": ("Ehemaliger Mitarbeiter", "Ehemalige Doktorandin"),
    },
    "en": {
        "professor": ("Professor", "Associate Professor", "Assistant Professor", "Head of Department"),
        "researcher": ("Research Associate", "Postdoctoral Researcher", "Senior Lecturer"),
        "doctoral": ("PhD Student", "Doctoral Researcher"),
        "student": ("Student Assistant", "Research Assistant (student)"),
        "administration": ("Secretary", "Office Manager", "Administrative Assistant"),
        "technical": ("Technician", "System Administrator", "Lab Engineer"),
        "former": ("Former PhD Student", "Former Research Associate"),
    },
}
TITLES_BEFORE = {
    "professor": ("Prof. Dr.", "Prof. Dr.-Ing.", "Prof. Dr. rer. nat.", "Jun.-Prof. Dr.", "Prof. Dr. Dr. h.c."),
    "researcher": ("Dr.", "Dr. rer. pol.", "PD Dr.", "Dr.-Ing.", "Dr. phil."),
    "doctoral": ("Dipl.-Ing.", "", "Dipl.-Inf.", "Mag."),
}
TITLES_AFTER = {"researcher": ("Ph.D.",), "doctoral": ("M.Sc.", "M.A."), "student": ("B.Sc.",)}
"""Written after the name and a comma; used where `TITLES_BEFORE` gave none."""
