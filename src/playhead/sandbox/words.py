"""Names for invented movies and shows: no two numbers have the same name. Holds words, nothing else."""

from __future__ import annotations

_ADJECTIVE_TEXT = (
    "Amber Ancient Bitter Bright Broken Calm Clever Cold Copper Crimson Distant Dusty Early Eastern Electric Empty "
    "Endless Faded Famous Fearless Final Foreign Forgotten Fragile Frozen Gentle Glass Golden Gray Hidden Hollow "
    "Honest Humble Idle Iron Ivory Jagged Last Late Lonely Lost Lucky Marble Midnight Modern Narrow Northern Open "
    "Paper Patient Plain Proud Quiet Rapid Restless Rising Roaming Royal Rusty Sacred Salty Second Secret Shallow "
    "Silent Silver Simple Sleepy Slow Southern Steady Stolen Strange Stubborn Sudden Sunken Tender Third Tired Velvet "
    "Violet Wandering Western Wild Winter Wooden Yellow Young"
)
_NOUN_TEXT = (
    "Anchor Archive Attic Autumn Bakery Balcony Ballad Bargain Beacon Bridge Cabin Canal Candle Carnival Castle Cedar "
    "Chapel Circus Compass Corner Cottage Courier Crossing Current Dancer Desert Diary Doctor Echo Engine Exile Falcon "
    "Ferry Festival Field Forest Garden Gardener Gate Glacier Harbor Harvest Hermit Horizon Hotel Island Journey "
    "Judge Kitchen Ladder Lagoon Lantern Letter Library Lighthouse Locksmith Machine Market Meadow Mirror Mountain "
    "Museum Neighbor Notebook Oasis Observatory Orchard Orchestra Painter Parade Passage Pilot Planet Portrait "
    "Promise Quarry Railway Reef River Road Sailor Scholar Season Shepherd Signal Station Storm Summer Tailor Theater "
    "Tide Tower Traveler Tunnel Valley Village Violin Voyage Watchmaker Window Witness Workshop"
)
_ADJECTIVES = _ADJECTIVE_TEXT.split()
_NOUNS = _NOUN_TEXT.split()


def make_name(number: int, form: str) -> str:
    """The name for a number from 0 on; ``form`` has ``{adjective}`` and ``{noun}``."""
    again, place = divmod(number, len(_ADJECTIVES) * len(_NOUNS))
    noun, adjective = divmod(place * 1237 % (len(_ADJECTIVES) * len(_NOUNS)), len(_ADJECTIVES))
    name = form.format(adjective=_ADJECTIVES[adjective], noun=_NOUNS[noun])
    return name if again == 0 else f"{name} {again + 1}"
