"""The clubs of the demo. Everybody in it is made up, and chosen so that their names are hard to tell apart."""

from dataclasses import dataclass
from decimal import Decimal

# The British regulator keeps these numbers for films and plays: nobody has one.
NOBODYS_PHONE = "+447700900"


@dataclass(frozen=True)
class DemoTeam:
    name: str
    # First and last name, as the roster has them.
    players: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DemoCoach:
    first_name: str
    last_name: str
    phone: str
    teams: tuple[str, ...]
    trust_level: int = 0
    threshold: Decimal = Decimal("0.85")


@dataclass(frozen=True)
class DemoClub:
    name: str
    slug: str
    languages: tuple[str, ...]
    teams: tuple[DemoTeam, ...]
    coaches: tuple[DemoCoach, ...]


def _team(name: str, players: str) -> DemoTeam:
    """A last name of several words is written with underscores."""
    pairs = [player.split() for player in players.split(",")]
    return DemoTeam(name, tuple((first, last.replace("_", " ")) for first, last in pairs))


def _coach(
    first: str, last: str, phone: int, teams: tuple[str, ...], trust: int = 0, threshold: str = "0.85"
) -> DemoCoach:
    return DemoCoach(first, last, f"{NOBODYS_PHONE}{phone:03}", teams, trust, Decimal(threshold))


BALLYRUA = DemoClub(
    "Ballyrua Gaels",
    "ballyrua-gaels",
    ("en", "ga"),
    (
        # Two Niamhs with nearly one last name, Aoife and Eva, Caoimhe and Keeva, two Murphys.
        _team(
            "Under 14",
            "Niamh Kelly, Niamh Kelleher, Aoife Murphy, Eva Murphy, Caoimhe Ní_Bhriain, Keeva Doyle, Saoirse Byrne, "
            "Róisín O'Brien, Sadhbh Gallagher, Éabha Nolan, Clíodhna Walsh, Fiadh Brennan, Zofia Kowalczyk, "
            "Gabija Petrauskaitė, Ellie Power",
        ),
        # Eoin, Eoghan and Owen; three Murphys; Ó and Mac.
        _team(
            "Minors",
            "Eoin Murphy, Eoghan Murphy, Owen Tierney, Cian Murphy, Oisín Walsh, Tadhg Ó_Súilleabháin, Cathal Ryan, "
            "Donnacha McCarthy, Ruairí MacNamara, Pádraig Lynch, Fionn Dunne, Jakub Wiśniewski, Darragh Quinn, "
            "Ciarán Moran, Conor Hayes",
        ),
        _team(
            "Seniors",
            "Siobhán Ní_Dhomhnaill, Gráinne Kavanagh, Aisling Ryan, Orlaith Burke, Meadhbh Carroll, Bláthnaid Foley, "
            "Sinéad O'Connor-Hyde, Deirdre Sheehan, Muireann Casey, Laoise Geraghty, Eimear Whelan, Dearbhla Keane, "
            "Aoibheann Roche, Karolina Nowak, Una Mulligan",
        ),
    ),
    (
        _coach("Máire", "Costello", 101, ("Under 14",), trust=3, threshold="0.80"),
        _coach("Declan", "Fogarty", 102, ("Minors",), trust=2),
        _coach("Bríd", "Ní Riain", 103, ("Seniors", "Under 14"), trust=1),
        _coach("Seán", "Hanrahan", 104, ("Minors", "Seniors")),
    ),
)

KILMORRA = DemoClub(
    "Kilmorra Harbour",
    "kilmorra-harbour",
    ("en", "pl", "lt", "pt"),
    (
        _team(
            "Under 12",
            "Luka Horvat, Leo Brady, Maja Zielińska, Antoni Wójcik, Rugilė Kazlauskaitė, Matas Jankauskas, "
            "Inês Carvalho, Tiago Moreira, Sophie Delaney, Dara Whelan, Daire Cullen, Harry Molloy, Amelia Reid, "
            "Chiara Bianchi, Femi Adeyemi",
        ),
        # Tomasz and Tomas, Joao with and without his tilde to say, two Silvas.
        _team(
            "Under 15",
            "Tomasz Lewandowicz, Tomas Brazauskas, João Silva, Rafael Silva, Wojciech Mazur, Žygimantas Butkus, "
            "Szymon Piotrowicz, Conor Brady, Cillian Duffy, Senan Hogan, Shay Kinsella, Dovydas Stankevičius, "
            "Nathan Okafor, Miguel Ferreira, Rían Costigan",
        ),
        _team(
            "Seniors",
            "Paweł Dąbrowski, Krzysztof Zając, Mindaugas Urbonas, Vítor Almeida, Duarte Nogueira, Barry Fitzgerald, "
            "Keith Tobin, Declan Roche, Ultan McGrath, Lorcan Boyle, Andrius Balčiūnas, Stephen Farrell, "
            "Grzegorz Baran, Colm Reddy, Eamon Tuohy",
        ),
    ),
    (
        _coach("Agnieszka", "Sikora", 201, ("Under 12",), trust=2, threshold="0.90"),
        _coach("Gerry", "Mullen", 202, ("Under 15",), trust=1),
        _coach("Rui", "Teixeira", 203, ("Seniors",), trust=3),
        _coach("Rasa", "Vaitkutė", 204, ("Under 12", "Under 15")),
    ),
)

ABBEYDUNE = DemoClub(
    "Abbeydune",
    "abbeydune",
    ("en", "fr"),
    (
        _team(
            "Under 13",
            "Fiachra Byrne, Fiona Byrne, Hugo Lefèvre, Théo Marchand, Maëlle Dubois, Béibhinn Sweeney, Naoise Hickey, "
            "Lorcan Daly, Ailbhe Cronin, Oran Mackey, Jean-Luc Perrin, Beatriz Soares, Ronan D'Arcy, Tom Hennessy, "
            "Líadan Ó_Briain",
        ),
        # Sean and Shane and Shaun, two O'Neills, a name of two first names.
        _team(
            "Under 16",
            "Seán O'Neill, Shane O'Neill, Shaun Keogh, Ryan Kelly, Kelly Ryan, Étienne Rousseau, Camille Fournier, "
            "Oscar Nyström, Iarlaith Mangan, Caolán Devlin, Méabh Tracey, Maeve Harte, Kacper Wilk, "
            "Aurimas Vaitkus, Mathieu Girard",
        ),
    ),
    (
        _coach("Philippe", "Garnier", 301, ("Under 13",), trust=1),
        _coach("Catherine", "Lawless", 302, ("Under 16",), trust=2, threshold="0.80"),
        _coach("Noel", "Prendergast", 303, ("Under 13", "Under 16")),
        _coach("Sorcha", "Ní Cheallaigh", 304, ("Under 16",), trust=3),
    ),
)

CLUBS = (BALLYRUA, KILMORRA, ABBEYDUNE)
# Still spoken of now and then, though he has left.
LEFT = ("Shay", "Kinsella")

# What a speech model writes for a name that it does not know.
HEARD_AS = {
    "Niamh": ("Neve", "Neeve"),
    "Siobhán": ("Shivaun", "Chevonne"),
    "Aoife": ("Eefa",),
    "Caoimhe": ("Queeva", "Kweeva"),
    "Saoirse": ("Seersha", "Sersha"),
    "Sadhbh": ("Sive",),
    "Éabha": ("Ava",),
    "Clíodhna": ("Cleena",),
    "Fiadh": ("Fia",),
    "Eoin": ("Owen",),
    "Eoghan": ("Owen",),
    "Oisín": ("Usheen", "Osheen"),
    "Tadhg": ("Tige",),
    "Cathal": ("Cahal",),
    "Donnacha": ("Dunnacha",),
    "Ruairí": ("Rory",),
    "Pádraig": ("Paurick",),
    "Gráinne": ("Grawnya",),
    "Orlaith": ("Orla",),
    "Meadhbh": ("Maeve",),
    "Méabh": ("Maeve",),
    "Bláthnaid": ("Blawnid",),
    "Muireann": ("Mwirren",),
    "Laoise": ("Leesha",),
    "Dearbhla": ("Dervla",),
    "Aoibheann": ("Aveen",),
    "Wojciech": ("Voychek",),
    "Žygimantas": ("Zigimantas",),
    "João": ("Joao", "Jowow"),
    "Krzysztof": ("Kristof",),
    "Grzegorz": ("Gregosh",),
    "Paweł": ("Pavel",),
    "Rugilė": ("Rugile",),
    "Béibhinn": ("Bevin",),
    "Naoise": ("Neesha",),
    "Ailbhe": ("Alva",),
    "Iarlaith": ("Irla",),
    "Caolán": ("Kaylan",),
    "Líadan": ("Leadan",),
    "Étienne": ("Etienne",),
}
# Guests and opponents: on no roster.
STRANGERS = ("Zoltán Ferenczi", "Marguerite Vance", "Old Tadeo", "Ignatius Bloom", "Wilhelmina Drost")
