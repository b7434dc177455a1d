"""Words that end in a full stop without ending a sentence, of several languages at once.

They are looked up without regard to case, and without the stop. What is an abbreviation in one
language and a plain word in another (the Italian "on.", the German "Abs.") is here only if it
is rare as the last word of a sentence.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BEFORE_MORE = _words("""
    mr mrs ms dr prof rev hon gen col maj capt cmdr lt sgt cpl pvt adm sen rep gov pres supt
    mt ft messrs mme mlle mgr fr sra srta dña lic ing univ
    vs v cf viz approx ca ed eds trans vol vols ch chap sec sect fig figs eq eqs eqn ref refs
    app pp e.g i.e eg ie a.k.a resp incl excl
    z.b d.h u.a o.ä bzw ggf evtl vgl inkl exkl bspw sog str abs nr bd hrsg
    p.ex env av éd p.ej ej núm pág págs sig sigg dott avv dhr mevr bijv d.w.z
    т.е т.к гг ул им см стр рис тыс млн млрд проф акад
    np tzn tzw dr inż
""")
"""A name, a number or an example follows: never the end of a sentence."""

EITHER = _words("""
    inc ltd co corp bros jr sr st dept esq ave blvd rd al a.m p.m am pm b.c a.d ph.d m.d b.a m.a
    uds ud ee.uu s.a s.l jan feb apr jun jul aug sep sept oct nov dec tue tues thu thur thurs г
""")
"""Stand in the middle and at the end of sentences: what follows decides."""

NUMBERED = _words("no nos n° nº nr núm p pp s fig figs eq eqs vol ch sec art §")
"""Not the end of a sentence where a number follows."""

STARTERS = _words("""
    the a an this that these those it its he she they we you i his her their our my your there
    here what who when where why how which if in on at as but and or so however although though
    while after before since because then thus therefore meanwhile moreover furthermore for from
    with all some many most each no not do does did is are was were can could will would should
    der die das ein eine es er sie wir ihr ich dies diese dieser in im am auf und aber wenn als
    le la les un une il elle ils elles nous vous je ce cette ces dans et mais si quand
    el los las una ella ellos nosotros yo este esta estos en y pero cuando
    lo gli uno essi noi io questo questa e ma quando
""")
"""Words that begin sentences, far more often than names."""

MONTHS = _words("""
    januar jänner februar märz april mai juni juli august september oktober november dezember
""")
"""A number with a stop before one of them is a day."""
