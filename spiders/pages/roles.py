"""What a person does there, in the page's words, and its class."""

from __future__ import annotations

import re
from functools import lru_cache

_FORMER = (
    r"\b(former(ly)?|alumn(i|us|a|ae)|past (members|staff|people|students)|previous(ly)?|graduated"
    r"|ehemalige?[rns]?|ausgeschiedene?"
    r"|anciens? (membres|doctorants|étudiants)|anciens\b|antigu[oa]s (miembros|integrantes|alumnos)"
    r"|exintegrantes|egresad[oa]s|exalumn[oa]s|ex-members|ex-alumn\w+"
    r"|in memoriam|deceased|verstorbene?[rn]?|ancien(ne)? membre)\b|毕业学生|毕业生|已毕业|往届|校友|曾经成员"
    r"|卒業生|元メンバー|過去のメンバー|^oB"
)
_CLASSES: tuple[tuple[str, str], ...] = (
    (
        "student",
        r"stud(entische|\.)? ?(hilfskr\w+|mitarbeiter\w*)|wiss(enschaftliche|\.) ?hilfskr\w+|hilfskr(aft|äfte)\b"
        r"|\bhiwis?\b|\btutor(in|innen|en|s)?\b|undergrad\w*|bachelor\w*|\bmaster'?s?\b(?! of)"
        r"|\bm\.?\s?(s|sc|a|eng|phil)\.? (student|candidate)|\bb\.?\s?(s|sc|a|eng)\.? student|\bintern(s"
        r"|ship)?\b|praktikant\w*|stagiaires?|pregrado|licenciatura|tesistas?|mestrand\w+|iniciação"
        r"|visiting student|exchange student"
        r"|硕士|本科|访问学生|修士|学部生|研究生(?!助)|学士|卒研生|交換留学生|studentische|high school student"
        r"|student (assistant|helper|worker|member|researcher)s?",
    ),
    (
        "doctoral",
        r"ph\.?\s?d\.? ?-?(student|candidate|researcher|fellow|scholar)s?|ph\.?\s?d\.?s?\b"
        r"|(?<!post)(?<!post-)(?<!post )doctoral|doctorate|doktorand\w*|promovierende\w*|promovend\w*"
        r"|promotionsstudent\w*|promotionsstipend\w*|doctorantes?|doctorants?|doctorando|doctorandas?"
        r"|doctorandos"
        r"|doutorand\w+|dottorand\w+|graduate (student|researcher|research assistant|assistant)s?|grad students?"
        r"|estudiantes? de (doctorado|post?grado)|doctorado\b|ph\.?d\.?-?student\w*|博士在读|博士生(?!导师)"
        r"|博士課程|博士研究生|直博|thésards?",
    ),
    (
        "administration",
        r"sekret(a|ä)r\w*|secret(a|á)r\w*|secrétai?r\w*|assistenz\b|assist(entin|ant) der (geschäftsführung"
        r"|institutsleitung|professur)|administrat\w*|administrativ\w*|verwaltung\w*|office (manager|assistant"
        r"|staff|administration|coordinator)|team ?assist\w*|team support|support staff|buchhalt\w*|finan(ce|zen"
        r"|ces|zas)\b|geschäftszimmer|geschäftsstelle|geschäftsführ\w*|project (manager|coordinator|officer)"
        r"|projektmanage\w*|projektkoordinat\w*|event manager|human resources|communications? (officer|manager)"
        r"|pressesprecher\w*|outreach (officer|coordinator)|coordinator|koordinator\w*|koordination"
        r"|fremdsprachen\w*|sachbearbeit\w*|referent(in)?\b|personal ?referent\w*|clerk|accountant|receptionist"
        r"|gestionnaire|bibliothe\w+|bibliothécaire|librarian|responsable administrat\w*|chargée? de (mission"
        r"|communication|projet)|administración|oficina"
        r"|staff assistant|executive assistant|personal assistant|program manager|学務|秘書|秘书|行政|事務|办公室",
    ),
    (
        "technical",
        r"techni(k|s|c|q)\w*|\blab(or|oratory)? ?(manager|assistant|technician|leitung|ingenieur)\w*|laborant\w*"
        r"|system ?administrat\w*|sysadmin|it[- ](support|admin\w*|service|betreuung)|werkstatt\w*"
        r"|workshop manager|computer operator|web ?master|mechaniker\w*|elektroniker\w*|\bcta\b|\bbta\b|\bmta\b"
        r"|netzwerkadmin\w*|ingénieure? (d'études|d’études)|laborator(y|io) manager|hausmeister|facility manager"
        r"|(software|research software|research|data) engineer|software ?entwickler\w*|developer|programmer"
        r"|(systems?|software|solutions?|network) (architect|analyst|specialist)"
        r"|data officer|data (manager|steward)|技術|技术员|技官|实验员|实验师|工程师",
    ),
    (
        "researcher",
        r"post-?\s?doc\w*|post-?doctor\w*|研究員|研究员|博士后|博士後|ポスドク|research (scientist|associate"
        r"|fellow|assistant|staff|engineer|group leader|professor)|wiss(enschaftlich|ensch"
        r"|\.)\w*\.? ?(mit)?arbeit\w*|wissenschaftl\w* (mitarb\w*|assist\w*|angestellt\w*)|wissenschaftler\w*"
        r"|akademische[rn]? (rat|rätin|oberrat|oberrätin|direktor\w*|mitarbeiter\w*)|akad\. ?(rat|rätin|oberrat)"
        r"|studien(rat|rätin)\b|privatdozent\w*|nachwuchsgruppenleit\w*|gruppenleit\w*"
        r"|(junior )?(research )?group lead\w*|(staff|senior|principal|research) scientist|scientists?\b"
        r"|chercheu(r|se)s?\b|chargée? de recherche|directeur de recherche|directrice de recherche"
        r"|researchers?\b|investigador\w*|pesquisador\w*|ricercator\w*|assegnist\w*|fellows?\b|visiting scholar"
        r"|gastwissenschaftler\w*|ingénieure? de recherche|mitarbeiter\w*|mitarbeitende\w*|lehrkraft\w*"
        r"|lecturers?\b|readers? in\b|instructors?\b|lehrbeauftragte\w*|dozent\w*|docentes?\b|docenti\b"
        r"|maîtres? de conférences|teaching staff|teaching (assistant|fellow)s?|academic staff|assistente?n?\b"
        r"|assistentin\w*|maître assistant\w*|講師|讲师|助教|助理研究|academic staff",
    ),
    (
        "professor",
        r"\bprof\b|\bprof\.|professor\w*|professur\w*|professeure?s?|profesor(a|es|as)?\b|lehrstuhlinhaber\w*"
        r"|lehrstuhlleit\w*|lehrstuhlvertret\w*|institutsleit\w*|leitung\b|leiter(in)?\b|\bhead of|head\b"
        r"|\bchair\w*|principal investigator|\bpi\b|investigador(a)? principal|group leader|lab head"
        r"|directors?\b|direktor\w*|direct(eur|rice)\b|director(a|es)?\b|catedrátic\w*|\bfaculty\b|dean\b"
        r"|dekan\w*|enseignant\w*(es)?[-· ]+cherch\w*|教授|教师|教員|讲席|准教授|院长|主任|導師|导师"
        r"|lab director|founding",
    ),
)
_STRONG_PROFESSOR = re.compile(
    r"(?<!an der )(professor(in|en)?\b|\bprofesseure?\b|\bprofesora?\b|professur|\bprof\.|lehrstuhlinhaber\w*"
    r"|catedrátic\w*|enseignant\w*(es)?[-· ]+cherch\w*|教授|investigador(a)? principal|principal investigator)",
    re.IGNORECASE,
)
_NOT_PROFESSOR = re.compile(
    r"assist(ant|entin|enz|ent)? (to|of|der|des|von|de)|sekret\w+ |secretary|prof(essor)?\.?'?s? (assistant"
    r"|office)|with prof|by prof|bei prof|supervis\w+|betreut|博士生导师$",
    re.IGNORECASE,
)

_INSTITUTION = re.compile(
    r"techni(sche[nr]?|cal) (universität|hochschule|fakultät|university)|(\w+ )?university of [\w ]+|(university"
    r"|institute|college|school|faculty|department|dept\.?) (of|for) [\w &-]*|\b\w*bibliothek\b|fachhochschule"
    r"|\balumni (association|club)|mines paris alumni|faculty member(?=s)"
    r"|\bfhnw\b|hochschule für [\w ]*|polytech\w+|instituto (de|técnico)[\w ]*|institut (de|für)[\w ]*"
    r"|directeur de la bibliothèque(?=$)",
    re.IGNORECASE,
)
"""Names of places that hold a word of a job."""

_ANY_STUDENT = re.compile(
    r"\b(student|studierende|studentin|étudiante?|estudiante|alumno)(en|s)?\b|学生", re.IGNORECASE
)

_PATTERNS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _CLASSES)
_IS_FORMER = re.compile(_FORMER, re.IGNORECASE)


@lru_cache(maxsize=4096)
def is_former(text: str) -> bool:
    """Say whether a role or heading tells of people who have left."""
    return bool(_IS_FORMER.search(text[:200]))


@lru_cache(maxsize=8192)
def role_class(text: str) -> str | None:
    """Give the class of a role (catalog.schema.ROLE_CLASSES) without looking at `former`.

    Returns:
        None where no word of the text tells of a job.
    """
    text = _INSTITUTION.sub(" ", text[:200])
    beside_one = _NOT_PROFESSOR.search(text) is not None
    if _STRONG_PROFESSOR.search(text) and not beside_one:
        return "professor"
    found = next((name for name, pattern in _PATTERNS if pattern.search(text)), None)
    if found is None and _ANY_STUDENT.search(text):
        return "student"
    return None if found == "professor" and beside_one else found


def classify(role: str | None, heading: str | None, title: str | None, former: bool) -> str:
    """Give the role class of a person.

    Args:
        role: what the block says, or None.
        heading: the section's heading, where it told of a role.
        title: academic titles before the name; they decide only where neither role nor heading does.
        former: whether heading or role tell that the person has left.
    """
    if former:
        return "former"
    for text in (role, heading):
        if text and (found := role_class(text)):
            return found
    if title and re.search(r"(?i)\bprof", title):
        return "professor"
    return "other"
