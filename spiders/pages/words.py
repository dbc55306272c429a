"""Common words of university pages, in the languages met there: a text that holds one of them is nobody's name.

Words that are family names as well (Young, Dean, Law, Price, Koch, Richter) are left out on purpose.
"""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """Give the words of a text as a set."""
    return frozenset(text.split())


_ENGLISH = """
about abstract academic academics access accessibility account action activities activity address administration
administrative administrator admission admissions advanced advisor advisory affairs affiliate affiliated
affiliates affiliation agenda all alumni alumnus alumna analysis analytics annual and announcement announcements
applications applied apply archive archives area areas article articles artificial assistant assistants associate
associates association at available award awards back background bachelor bachelors batch between biography
biological biology biomedical blog board book books breadcrumb brain browse bulletin business by calendar call
campus career careers center centre certificate chair chairs chemistry class classes click climate code
collaboration collaborations collaborator collaborators college colleges colloquium committee communication
communications community company computation computational computer computing conference conferences consortium
contact contacts contents cookie cookies coordinator copyright council course courses courtesy create culture
curriculum current currently data database date deep degree degrees department departments design detail details
developer developers development digital direction director directors directory disclaimer discover dissertation
diversity division doctor doctoral doctorate documents download downloads dynamics economics editor education
electrical electronic electronics email emergency emeriti emeritus emerita energy engineer engineering engineers
english enquiries environment environmental equality ethics event events examination excellence executive
experience experimental experiments explore external facilities facility faculty faq faqs feature featured
features feedback fellow fellows fellowship fellowships filter find first follow for form former forms foundation
from full funding funded further gallery game general genomics german get give global glossary grade graduate
graduates graduation group groups guide guidelines heads health help here highlights history home homepage hours
how human humanities image images imaging impact imprint in inclusion industrial industry information informatics
infrastructure initiative innovation inquiries institute institutes institution institutional instructor
instructors integrated intelligence intelligent interaction interactive interest interests international
internship introduction investigator investigators is issue issues job jobs join journal journals kit knowledge
lab labs laboratories laboratory language languages last latest laws lead leader leaders leadership learn learning
lecture lecturer lecturers lectures legal library life line link linkedin links list listing local location
locations login logo logout machine main maintenance major majors management manager managers map maps master
masters material materials mathematics mechanical mechanics media medical medicine meet member members membership
menu message methods minor mission mobile model modeling modelling models modern modules molecular more museum my
name national natural navigation network networks neural neuroscience new news newsletter next non notice now
nursing of offer offers office officer officers offices on online open opening openings operations operator
opportunities optimization or order organization organisation other others our outreach overview pages paper
papers partner partners partnership password past patents people permanent person personal personnel phd
philosophy phone photo photos physical physics picture pictures planning podcast policies policy political portal
portrait portfolio position positions postdoc postdocs postdoctoral poster posters postgraduate practice preprint
present president press previous principal print privacy procedures process processing professional professor
professoren professorin professorinnen professors profile profiles program programme programmes programming
programs project projects prospective
psychology public publication publications quality quick reach recent recruitment rector registration related
report reports representative request research researcher researchers resource resources results resume return
review robotics robots role room safety scholar scholars scholarship scholarships school schools science sciences
scientific scientist scientists search secretariat secretary section security see select semester seminar seminars
senior service services settings share show sign site sitemap skills skip social society software staff start
statement statistics status strategic strategy structure student students studies study studio subject submit
subscribe summary supervision supervised supervisor supervisors support supported survey sustainability symposium
system systems talk talks tasks teacher teachers teaching team teams technical technician technicians technologies
technology telephone template temporary terms testimonials testing text the their theory theses thesis this tier
time title to tools top topic topics training transfer translation travel tutorial tutorials twitter undergraduate
undergraduates universities university unknown up update updates upload us use user using vacancies vacancy vice
video videos view views virtual vision visit visiting visitor visitors visual wanted we web webinar webpage
website websites welcome what when where who why with work working workshop workshops world write year years you
your youtube github google orcid researchgate facebook instagram mastodon bluesky scopus wikipedia america
american asia asian europe european germany france italy spain switzerland austria australia canada china japan
india united states kingdom usa uk south east northern southern eastern western monday tuesday wednesday thursday
friday saturday sunday january february july september october november december building road avenue floor tel
fax mail unavailable missing untitled undefined null lorem ipsum pdf cite doi bibtex arxiv bold italic coming soon
loading toggle dropdown expand collapse avatar placeholder
"""

_GERMAN = """
akademische akademischer akademischen oberrat oberrätin privatdozent privatdozentin studienrat geschäftsführer
geschäftsführerin aktuelle aktuelles aktuell alle allgemeine allgemeines am an anfahrt angebot angebote
ansprechpartner ansprechpartnerin ansprechpersonen anschrift arbeit arbeiten arbeitsgruppe arbeitsgruppen archiv
assistenz assistent assistentin auf aufgaben ausbildung ausschreibungen barrierefreiheit bereich bereiche beruf
berufung betreuung bewerbung bibliothek bild bilder buchung büro datenschutz datenschutzerklärung der die das
dekan dekanat dekanin deutsch diplom doktorand doktoranden doktorandin doktorandinnen download downloads ehemalige
ehemaliger einrichtung einrichtungen englisch entwicklung exzellenz fachbereich fachgebiet fachschaft fakultät
fakultäten forschung forschungsgebiet forschungsgruppe forschungsgruppen forschungsprojekte forschungsschwerpunkte
für gastwissenschaftler gebäude geschäftsführung geschäftsstelle geschäftszimmer gesellschaft gleichstellung
graduiertenkolleg gruppe gruppen hausmeister hilfskraft hilfskräfte hinweise hochschule im impressum in informatik
informationen institut institute institutsleitung internationales kolloquium kompetenzen kontakt kooperation
kooperationen labor labore lehre lehrbeauftragte lehrbeauftragter lehrstuhl lehrstuhlinhaber lehrstuhlinhaberin
lehrveranstaltungen leiter leiterin leitung leistungen links literatur maschinenbau mathematik mehr mitarbeiter
mitarbeitende mitarbeitenden mitarbeiterin mitarbeiterinnen mitglied mitglieder nach nachrichten navigation neue
neuigkeiten personal personen personenverzeichnis physik postfach professur professuren projekt projekte promotion
promovierende prüfung prüfungen publikationen raum referat referent referentin schriften schwerpunkt schwerpunkte
seite seiten sekretariat sekretärin semester seminare sommersemester sonstige sonstiges sprechstunde sprechstunden
sprechzeiten startseite stelle stellen stellenangebote straße student studenten studentin studentische studierende
studiengang studiengänge studium stundenplan suche team technik technische technischer telefon termine themen
titel und universität uni unser unsere veranstaltung veranstaltungen veröffentlichungen vertretung verwaltung
verzeichnis vita von vorlesung vorlesungen vorstand weitere weiterbildung weiterlesen werkstatt wintersemester
wirtschaft wirtschaftswissenschaften wissenschaft wissenschaften wissenschaftler wissenschaftlerin
wissenschaftlerinnen wissenschaftliche wissenschaftlicher wissenschaftliches zentrale zentrum zur zurück zum
deutschland österreich schweiz bayern lebenslauf vortrag vorträge abteilung abteilungen arbeitsbereich
"""

_ROMANCE = """
accueil actualités actualité annuaire axes bibliothèque bienvenue bureau centre chercheur chercheurs chercheuse
chercheuses collaborateurs contact département directeur directrice doctorant doctorante doctorants document
documents école emploi enseignant enseignante enseignants enseignement équipe équipes étudiant étudiante étudiants
formation ingénieur ingénieure institut laboratoire maître membre membres mentions légales nos nous notre offres
partenaires personnel personnels postdoctorant presse professeur professeure professeurs projets publications
recherche recherches responsable secrétariat sciences séminaires stagiaire stagiaires thèse thèses université voir
académico académica administración administrativo alumnos anteriores área áreas asociado asociados ayudante
biblioteca buscar carrera catedrático centro ciencias contacto departamento director directora docencia doctorado
doctorando enlaces equipo escuela estudiante estudiantes estudios eventos facultad formación graduados grupo
grupos ingeniería inicio investigación investigador investigadora investigadores laboratorio líneas maestría
miembros noticias nosotros nuestro personal pregrado postgrado posgrado principal proyectos profesor profesora
profesores publicaciones quiénes recursos secretaria secretaría servicios técnico técnica tesis tesistas trabajo
universidad universitaria ver chi siamo contatti corso dipartimento docente docenti dottorandi dottorando facoltà
gruppo insegnamento laboratori membri notizie persone progetti pubblicazioni ricerca ricercatore ricercatori
scuola segreteria studenti università aluno alunos bolsista contato disciplina docentes doutorado doutorando
ensino equipe mestrado mestrando notícias pesquisa pesquisador pesquisadores projetos publicações universidade
"""

COMMON_WORDS = word_set(f"{_ENGLISH} {_GERMAN} {_ROMANCE} &amp")

CJK_WORDS = word_set("""
教师 教員 教授 老师 博士 硕士 修士 学士 本科 研究 学生 学院 大学 成员 成員 团队 联系 首页 主页 新闻 活动 论文 发表
出版 课程 教学 招生 毕业 校友 访问 关于 我们 简介 介绍 实验 中心 部门 行政 秘书 人员 方向 领域 项目 成果 资源 下载
更多 登录 搜索 语言 中文 日本語 英語 概要 業績 論文 発表 講義 連絡 募集 卒業 問い合わせ お知らせ ニュース メンバー
リンク アクセス ホーム プロジェクト ブログ イベント セミナー 助教 講師 准教授 秘書 補佐 職員 未来 現在 過去 学科 専攻
工学 理学 科学 技术 技術 工程 系统 计算 智能 数据 管理 学术 通知 公告 地址 邮箱 电话 在读 在職 客员 客員 名誉 兼任 特聘
全职 博后
""")
"""A Chinese or Japanese text that holds one of them is no name."""

CHINESE_SURNAMES = frozenset(
    "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董袁潘于蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鍾谭譚陆陸"
    "汪范金石廖贾賈夏韦韋付傅方白邹鄒孟熊秦邱江尹薛闫阎閻段雷侯龙龍史陶黎贺賀顾顧毛郝龚龔邵万萬钱錢严嚴覃武戴莫孔向汤湯温常尚海阚闞纪紀陇欧歐施洪季梅童颜顏章鲁魯葛"
    "倪翁殷申翟柳柴牛游庄莊聂聶焦左齐齊骆駱关關路佟甘祝柯房宁寧辛裴涂凌岳屈成詹项項阮盛连連单單褚耿靳卜冉车車苗古娄婁符包管曲米池乔喬隋饶饒蓝藍麦麥鲍鮑俞费費岑"
) | word_set("欧阳 歐陽 上官 司马 司馬 诸葛 諸葛 司徒 东方 慕容")
