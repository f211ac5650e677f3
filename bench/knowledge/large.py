"""Forty thousand generated products: how long search, an index from scratch and an update take."""

import itertools
import json
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import psutil
from numpy.typing import NDArray

from bench.knowledge.sides import VOCABULARY
from bench.knowledge.vectors import KeptEncoder
from knowledge.ingest import Encode, Encoders
from knowledge.library import Library
from knowledge.sources import SourceDirs

COUNT = 40_000
QUERIES = 400
CHANGED = 100
ENCODED = 2_000
_NOISE = 0.3
Matrix = NDArray[np.float32]
SEED = 20261122
_SHELVES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "jackets": (("rain jacket", "winter coat", "parka", "blazer", "windbreaker", "down jacket"),
                ("Regenjacke", "Wintermantel", "Parka", "Blazer", "Windjacke", "Daunenjacke")),
    "shoes": (("running shoe", "hiking boot", "sneaker", "loafer", "sandal", "ankle boot"),
              ("Laufschuh", "Wanderstiefel", "Sneaker", "Slipper", "Sandale", "Stiefelette")),
    "bags": (("city backpack", "shoulder bag", "suitcase", "weekender", "tote", "belt bag"),
             ("Stadtrucksack", "Handtasche", "Koffer", "Reisetasche", "Shopper", "Gürteltasche")),
    "shirts": (("business shirt", "blouse", "polo shirt", "t-shirt", "flannel shirt", "tunic"),
               ("Businesshemd", "Bluse", "Poloshirt", "T-Shirt", "Flanellhemd", "Tunika")),
    "audio": (("headphones", "earbuds", "speaker", "radio", "soundbar", "turntable"),
              ("Kopfhörer", "Ohrhörer", "Lautsprecher", "Radio", "Soundbar", "Plattenspieler")),
    "kitchen": (("kettle", "frying pan", "coffee grinder", "knife", "toaster", "casserole"),
                ("Wasserkocher", "Bratpfanne", "Kaffeemühle", "Messer", "Toaster", "Bräter")),
    "camping": (("dome tent", "sleeping bag", "camp chair", "gas stove", "head torch", "cool box"),
                ("Kuppelzelt", "Schlafsack", "Campingstuhl", "Gaskocher", "Stirnlampe", "Kühlbox")),
    "home": (("desk lamp", "wool blanket", "bookshelf", "office chair", "bed linen", "mirror"),
             ("Tischlampe", "Wolldecke", "Bücherregal", "Bürostuhl", "Bettwäsche", "Spiegel")),
}  # fmt: skip
_TITLES = {
    "jackets": ("Jackets", "Jacken"), "shoes": ("Shoes", "Schuhe"), "bags": ("Bags", "Taschen"),
    "shirts": ("Shirts", "Hemden"), "audio": ("Audio", "Audio"), "kitchen": ("Kitchen", "Küche"),
    "camping": ("Camping", "Camping"), "home": ("Home", "Wohnen"),
}  # fmt: skip
_COLORS = {"black": "schwarz", "blue": "blau", "red": "rot", "green": "grün", "white": "weiß",
           "grey": "grau", "brown": "braun", "yellow": "gelb"}  # fmt: skip
_MATERIALS = {"leather": "Leder", "cotton": "Baumwolle", "polyester": "Polyester", "wool": "Wolle",
              "steel": "Stahl", "wood": "Holz", "linen": "Leinen", "nylon": "Nylon"}  # fmt: skip
_TRAITS = (
    ("light", "leicht"), ("sturdy", "robust"), ("waterproof", "wasserdicht"), ("warm", "warm"),
    ("compact", "kompakt"), ("elegant", "elegant"), ("quiet", "leise"), ("soft", "weich"),
    ("foldable", "faltbar"), ("breathable", "atmungsaktiv"),
)  # fmt: skip
_USES = (
    ("for long journeys", "für lange Reisen"), ("for the office", "fürs Büro"),
    ("for rainy days", "für Regentage"), ("for the weekend", "fürs Wochenende"),
    ("for cold evenings", "für kalte Abende"), ("for children", "für Kinder"),
    ("for small kitchens", "für kleine Küchen"), ("for the mountains", "für die Berge"),
)  # fmt: skip
_START = ("Al", "Bor", "Cal", "Dor", "El", "Fin", "Gal", "Hol", "Iv", "Jor", "Kal", "Lin", "Mor")
_END = ("ano", "ber", "dane", "eta", "finn", "gard", "holm", "ira", "lund", "mar", "nor", "rik")
_BRANDS = [a + b for a, b in itertools.product(_START, ("berg", "tal", "hof", "see"))]


class Figures(msgspec.Struct, frozen=True):
    """What was measured; ms of search are without the encoding of the query.

    The figures with `all_encoded` are what it would take if the network encoded every text and
    title, at the measured time for each.
    """

    products: int
    variants: int
    texts_encoded: int
    build_s: float
    build_cpu_s: float
    encode_text_cpu_ms: float
    encode_text_ms: float
    build_all_encoded_cpu_s: float
    build_all_encoded_s: float
    update_s: float
    update_cpu_s: float
    update_all_encoded_s: float
    memory_mb: float
    search_ms_p50: float
    search_ms_p99: float
    search_cpu_ms_p50: float
    search_cpu_ms_p99: float
    encode_query_ms_p50: float
    whole_ms_p50: float


def products(count: int, seed: int = SEED) -> Iterator[dict[str, object]]:
    """Return products of one language each, German and English in turn, four variants each."""
    chance = random.Random(seed)
    for number in range(count):
        language = number % 2
        shelf = chance.choice(list(_SHELVES))
        noun = chance.choice(_SHELVES[shelf][language])
        material = chance.choice(list(_MATERIALS))
        name = chance.choice(_START) + chance.choice(_END)
        trait, other = (pair[language] for pair in chance.sample(_TRAITS, 2))
        use = chance.choice(_USES)[language]
        made = (material, _MATERIALS[material])[language]
        text = (
            f"A {trait} {noun} made of {made}, {other} and {use}.",
            f"{noun} aus {made}: {trait}, {other} und {use}.",
        )[language]
        price = chance.randrange(990, 39900, 100)
        tongue = ("en", "de")[language]
        yield {
            "id": f"G{number}",
            "title": {tongue: f"{noun} {name} {number % 97}".capitalize()},
            "description": {tongue: text},
            "category": shelf,
            "brand": chance.choice(_BRANDS),
            "attributes": {"material": material, "waterproof": trait in _TRAITS[2]},
            "tags": [],
            "option_names": ["color", "size"],
            "variants": [
                {
                    "id": f"G{number}-{color}-{size}",
                    "options": {"color": color, "size": size},
                    "price_minor": price,
                    "available": chance.random() < 0.8,
                    "stock": None,
                }
                for color in chance.sample(list(_COLORS), 2)
                for size in chance.sample(("S", "M", "L", "XL"), 2)
            ],
        }


def sentences(count: int, seed: int = SEED) -> list[tuple[str, str]]:
    """Return what customers ask, nine of ten with a limit, and the language."""
    chance = random.Random(seed + 1)
    found = []
    for number in range(count):
        language = number % 2
        shelf = chance.choice(list(_SHELVES))
        noun = chance.choice(_SHELVES[shelf][language])
        color = chance.choice(list(_COLORS))
        material = chance.choice(list(_MATERIALS))
        use = chance.choice(_USES)[language]
        price = chance.choice((50, 100, 150, 200))
        parts = [
            (f"under €{price}", f"unter {price} €")[language],
            (f"in {color}", f"in {_COLORS[color]}")[language],
            (f"no {material}", f"kein {_MATERIALS[material]}")[language],
            ("in stock", "lieferbar")[language],
            (f"from {chance.choice(_BRANDS)}", f"von {chance.choice(_BRANDS)}")[language],
            ("size M", "Größe M")[language],
        ]
        chosen = chance.sample(parts, chance.choice((0, 1, 1, 1, 2, 2, 2, 2, 3, 3)))
        said = ", ".join([f"{noun} {use}", *chosen])
        found.append((said, ("en", "de")[language]))
    return found


def write(folder: Path, items: Sequence[dict[str, object]]) -> SourceDirs:
    """Write a shop folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "products.json").write_text(json.dumps(items), encoding="utf-8")
    categories = [
        {"id": key, "parent": None, "title": {"en": en, "de": de}}
        for key, (en, de) in _TITLES.items()
    ]
    (folder / "categories.json").write_text(json.dumps(categories), encoding="utf-8")
    vocabulary = {
        "values": {
            "color": {key: {"en": [key], "de": [word]} for key, word in _COLORS.items()},
            "material": {key: {"en": [key], "de": [word]} for key, word in _MATERIALS.items()},
        }
    }
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "shop.json").write_text('{"format": 1, "currency": "EUR"}', encoding="utf-8")
    return SourceDirs(folder)


class Sampled:
    """Vectors of some texts by the network; those of the others lie near one of them.

    Search and index take as long with them as with vectors that were all computed, and likeness is
    spread as it is in earnest.
    """

    def __init__(self, encoder: KeptEncoder, count: int) -> None:
        """Encode so many texts; no vectors at all are computed with a count of 0."""
        self._encoder = encoder
        self._left = count
        self._rows: list[Matrix] = []
        self._known: dict[str, Matrix] = {}
        self._real: dict[str, Matrix] = {}
        #: Texts that the network encoded, and what it took of processor time and of time.
        self.encoded, self.cpu_s, self.wall_s = 0, 0.0, 0.0

    def passages(self, texts: list[str]) -> Matrix:
        """Return the vectors of what is found."""
        return self._vectors(texts, self._encoder.passages)

    def queries(self, texts: list[str]) -> Matrix:
        """Return the vectors of what is asked, by the network as long as any are."""
        for text in texts:
            if text not in self._known:
                is_real = self._left or self._rows
                self._known[text] = (
                    self._encoder.queries([text])[0] if is_real else random_vector(text)
                )
        return np.stack([self._known[text] for text in texts])

    def _vectors(self, texts: list[str], encode: Encode) -> Matrix:
        if len(texts) == 1 and texts[0] in self._real:  # the probe of the encoder, asked again
            return self._real[texts[0]][None]
        real = texts[: self._left]
        self._left -= len(real)
        found: list[Matrix] = []
        if real:
            started, cpu = time.perf_counter(), time.process_time()
            found += list(encode(real))
            self.cpu_s += time.process_time() - cpu
            self.wall_s += time.perf_counter() - started
            self.encoded += len(real)
            self._rows += found
            self._real.update(zip(real, found, strict=True))
        for text in texts[len(real) :]:
            noise = random_vector(text)
            near = self._rows[hash(text) % len(self._rows)] if self._rows else noise
            mixed = near + _NOISE * noise
            found.append(np.asarray(mixed / np.linalg.norm(mixed), dtype=np.float32))
        return np.stack(found)


def random_vector(text: str) -> Matrix:
    """Return a unit vector, always the same for a text in one run."""
    row = np.random.default_rng(hash(text) & 0xFFFFFFFF).standard_normal(384)
    return np.asarray(row / np.linalg.norm(row), dtype=np.float32)


def measure(count: int = COUNT, encoded: int = ENCODED) -> Figures:
    """Build, search and update a shop of generated products.

    Args:
        count: products.
        encoded: texts that the network encodes; what the rest would take is stated apart.
    """
    network = KeptEncoder()
    sampled = Sampled(network, encoded)
    items = list(products(count))
    before = _resident_mb()
    with TemporaryDirectory() as home:
        dirs = write(Path(home) / "shop", items)
        encoders = Encoders(sampled.queries, sampled.passages)
        library = Library(dirs, Path(home) / "data", VOCABULARY, encoders)
        build, build_cpu = _timed(library.ingest)
        spent, waited = sampled.cpu_s, sampled.wall_s
        library.warm()
        memory = _resident_mb() - before
        found = _search(library)
        for item in items[:: count // CHANGED][:CHANGED]:
            item["description"] = {k: f"{v} Neu." for k, v in dict(item["description"]).items()}
        write(Path(home) / "shop", items)
        update, update_cpu = _timed(library.ingest)
    whole = _encoding_ms(network) if encoded else 0.0
    per_text, each_s = (x / max(sampled.encoded, 1) for x in (sampled.cpu_s, sampled.wall_s))
    texts = count + len(_titles(items))
    return Figures(
        products=count,
        variants=sum(len(list(item["variants"])) for item in items),
        texts_encoded=sampled.encoded,
        build_s=build,
        build_cpu_s=build_cpu,
        encode_text_cpu_ms=per_text * 1000,
        encode_text_ms=each_s * 1000,
        build_all_encoded_cpu_s=build_cpu - spent + per_text * texts,
        build_all_encoded_s=build - waited + each_s * texts,
        update_s=update,
        update_cpu_s=update_cpu,
        update_all_encoded_s=update + each_s * 2 * CHANGED,
        memory_mb=memory,
        encode_query_ms_p50=whole,
        whole_ms_p50=whole + found["search_ms_p50"],
        **found,
    )


def _titles(items: Sequence[dict[str, object]]) -> set[str]:
    return {title for item in items for title in dict(item["title"]).values()}


def _search(library: Library) -> dict[str, float]:
    asked = sentences(QUERIES)
    for text, language in asked:
        library.search_products(library.read_query(text, language))
    walls, processors = [], []
    for text, language in asked:
        started, cpu = time.perf_counter(), time.process_time()
        library.search_products(library.read_query(text, language))
        walls.append((time.perf_counter() - started) * 1000)
        processors.append((time.process_time() - cpu) * 1000)
    return {
        "search_ms_p50": statistics.median(walls),
        "search_ms_p99": statistics.quantiles(walls, n=100)[-1],
        "search_cpu_ms_p50": statistics.median(processors),
        "search_cpu_ms_p99": statistics.quantiles(processors, n=100)[-1],
    }


def _encoding_ms(encoder: KeptEncoder) -> float:
    taken = []
    for text, _ in sentences(60, SEED + 7):
        started = time.perf_counter()
        encoder.queries([text])
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def _timed(action: object) -> tuple[float, float]:
    started, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - started, time.process_time() - cpu


def _resident_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6
