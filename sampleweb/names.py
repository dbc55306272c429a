"""Invented names, titles and roles. First and last names are drawn apart, so no pair is meant to be anybody."""

FIRST_NAMES = (
    "Aaltje", "Bertil", "Corvina", "Dagmar", "Edelgard", "Falko", "Gesine", "Hartmut", "Ilvy", "Jorin", "Käthe",
    "Lovis", "Mirka", "Nefeli", "Okko", "Pirmin", "Quirin", "Runa", "Sönke", "Tjark", "Ulrike", "Valborg",
    "Wiebke", "Xaver", "Yorick", "Zdenka", "Anselm", "Birte", "Caspar", "Dörte", "Enno", "Friderike", "Götz",
    "Heilwig", "Isbert", "Jördis", "Kilian", "Leevke", "Malte", "Nanke", "Odila", "Pelle", "Rosalinde",
    "Silvan", "Thekla", "Urban", "Veit", "Wencke",
)  # fmt: skip
LAST_NAMES = (
    "Achterberg", "Bräunling", "Cordshagen", "Dünnebeil", "Eberstroh", "Fähnrichs", "Grünwaldner",
    "Hollerbusch", "Immenroth", "Jägersfeld", "Kümmelbach", "Lüttjohann", "Mönkeberg", "Nüsslein-Torp",
    "Oelrichsen", "Pfefferkamp", "Quastenberg", "Rübsamen", "Schöllkopp", "Tüxenfeld", "Uhlenbrook", "Vösgen",
    "Wöhrmeister", "Ysenbrandt", "Zülsdorff", "Ahrenhold", "Birkenwerder", "Claasenhus", "Dorfmüllner",
    "Ehrengrund", "Fliederbaum", "Gansauge", "Heidekrug", "Isernhagen", "Jarchow", "Klingenthal", "Langenbruch",
    "Moosgruber", "Nebelsieck", "Ostermeyer", "Pohlmannsen", "Querfurth", "Rautenstrauch", "Silberhorn",
    "Trautwein", "Ungerland", "Vogelsanger", "Wassermannsdorf", "Zirbel",
)  # fmt: skip

ROLE_CLASSES: dict[str, dict[str, tuple[str, ...]]] = {
    # role class: language: section headings; the first is used
    "professor": {"en": ("Professors",), "de": ("Professorinnen und Professoren",)},
    "researcher": {"en": ("Research Staff",), "de": ("Wissenschaftliche Mitarbeiterinnen und Mitarbeiter",)},
    "doctoral": {"en": ("PhD Students",), "de": ("Doktorandinnen und Doktoranden",)},
    "administration": {"en": ("Administration",), "de": ("Sekretariat",)},
    "technical": {"en": ("Technical Staff",), "de": ("Technik",)},
    "former": {"en": ("Former Members",), "de": ("Ehemalige",)},
}
TITLES: dict[str, dict[str, tuple[str, ...]]] = {
    "professor": {
        "en": ("Prof. Dr.", "Prof."), "de": ("Prof. Dr.", "Prof. Dr. rer. nat.", "Prof. Dr.-Ing.", "apl. Prof. Dr."),
    },
    "researcher": {"en": ("Dr.",), "de": ("Dr.", "Dr. phil.", "PD Dr.", "Dr.-Ing.")},
    "doctoral": {"en": ("M.Sc.",), "de": ("M.Sc.", "Dipl.-Ing.", "M.A.")},
    "administration": {"en": ("",), "de": ("",)},
    "technical": {"en": ("",), "de": ("", "Dipl.-Ing. (FH)")},
    "former": {"en": ("Dr.",), "de": ("Dr.",)},
}  # fmt: skip
FIELDS: dict[str, dict[str, str]] = {
    "cs": {"en": "Computer Science", "de": "Informatik"},
    "econ": {"en": "Economics", "de": "Wirtschaftswissenschaften"},
    "german": {"en": "German Studies", "de": "Germanistik"},
    "mechanical": {"en": "Mechanical Engineering", "de": "Maschinenbau"},
}
