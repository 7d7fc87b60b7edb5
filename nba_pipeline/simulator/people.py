"""Invent player names; the lists exercise accents, suffixes, apostrophes and hyphens."""

import unicodedata

import numpy as np

_FIRST_TEXT = """
Adem Aldric Amari Anders Ansel Armand Aurèle Bastien Bexley Boaz Brecken Brannon Caden Calder Calixte Cassius Cedrik
Corbin Cormac Dacre Dajuan Damari Darnel Dashiell Davor De'Quan Deshon Devlin Dorian Draven Edvin Eero Eldon Elias
Emeric Ennis Ezra Fabien Fenwick Florian Galen Gaspard Gideon Goran Hakeem Halden Harlan Henrik Idris Ignas Ilya Imari
Isandro Ivo Ja'Kobe Jadon Jareth Jevon Joaquín Jorah Jostein Kael Kamari Keshawn Kieran Kofi Kristjan Lachlan Lazar
Leandro Lennox Lorcan Luca Lyle Maël Makai Malachi Marek Mateus Matías Mekhi Mikkel Milos Nadir Nikos Niklas Niven Obi
Octavio Odell Oisín Omari Orin Osric Pascal Pavel Quade Quillan Quincy Rafe Ramiro Rasmus Raylan Rémi Rhett Rowan
Sandor Sékou Shamar Soren Stellan T'Andre Taavi Tadeo Tavian Teodor Theron Tobin Torsten Treyvon Tyrek Ulric Uriel
Vasil Vaughn Viggo Wendell Wyatt Xander Yannick Yusuf Zaire Zakari Zoltán Željko
"""
_LAST_TEXT = """
Abernethy Achterberg Adebisi Ainsley-Roe Alderwick Amundsen Ashgrove Aubertin Averstone Babić-Horn Balogan Barnstead
Bellweather Berrigan Birchall Blackmere Bramwell Brightwater Broussard-Lee Cadwallin Callowhill Carrowmore Castellane
Chadbourne Cinderford Clearwater Coldwell Coppersmith Crosswaithe D'Arbanville D'Orsay Dagenhart Dalrymple Danjuma
Delacourt Dembinski Desrosiers Dovetail Drinkwater Dubrovin Eastlake Edgeworth Eisenholt Ellingboe Emberly
Eriksen-Dahl Fairbrother Falconbridge Farquharson Featherstone Fennimore Ferncastle Fitzmaurice Fontaineau Forsberg
Galbraithe Garrowby Ghislain Gladwyn Goldhawk Gravenor Greyling Grünwald Halloran-Pike Halvorsen Hartigan Hathersage
Hawksmoor Heatherington Hollowell Holmström Huxtable Iddrisu Ilunga-Bey Ingersby Ironmonger Jankauskis Jernigan
Jokubaitas Kaczmarzyk Kalinowska Karlsen Kettleborough Kilbourne Kingsolver Kirkpatrin Koroma-Day Kovalenkov Lafontant
Langstaff Larkhill Leclerque Lindqvist Lockridge Loxley Macaulin Magnussen Mandeville Marchetti-Cole Markovski Mbarga
Merriweather Middlebrook Mirković Montclair Moorcroft N'Diallo N'Guessane Nakamuri Netherwood Nightingale Norquist
Nwabueze O'Callister O'Dunmore O'Hanrahan O'Shaughlin Oakhurst Ogunleyi Okereke-Vance Oldcastle Ordway Østergren
Padmore Palomar Papadakos Pemberly Penhaligon Petrauskis Pfeiffer Pickersgill Pinkerton Ponsonby Popescu Quackenbush
Quillfeather Radcliffe Rathbone Ravenscroft Redfern Reinholt Ridgeway Rockingham Rosenquist Rutherglen Sablefield
Saint-Clare Sandoval-Ruiz Savickas Scarborough Šarūnas Silverthorne Skarsgaard Sokolovic Somerled St.-Amand Stallworth
Starkweather Stonebridge Strandberg Sundqvist Swanbeck Tamsin Tarrant Thistlewood Thorncastle Throckmorton Tidewater
Toussant Tremblaine Trevanion Tyndall Uchechuk Underhill Vandermeer Vašek Velasco-Kim Vinterberg Vondráček Wakefield
Wainscott Wetherby Whitlock-Hayes Wickersham Willoughby Winterbourne Woodhaven Wyndham Yarborough Yevtushen Zabarin
Zalewska Zeitlin Zubiría
"""
_FIRST, _LAST = _FIRST_TEXT.split(), _LAST_TEXT.split()
_SUFFIXES = np.array(["", " Jr.", " II", " III"])
_SUFFIX_SHARES = (0.935, 0.04, 0.01, 0.015)


def invent_names(rng: np.random.Generator, count: int, taken: set[str]) -> list[str]:
    """Invent `count` names that are not in `taken`, and add them to `taken`."""
    names: list[str] = []
    while len(names) < count:
        first, last = rng.integers(len(_FIRST)), rng.integers(len(_LAST))
        name = f"{_FIRST[first]} {_LAST[last]}{_SUFFIXES[rng.choice(4, p=_SUFFIX_SHARES)]}"
        if name not in taken:
            taken.add(name)
            names.append(name)
    return names


def plain_spelling(name: str) -> str:
    """Spell a name without accents and without dots in suffixes, as some feeds do."""
    folded = unicodedata.normalize("NFKD", name.replace("Ø", "O").replace("ø", "o"))
    return "".join(c for c in folded if not unicodedata.combining(c)).replace("Jr.", "Jr")
