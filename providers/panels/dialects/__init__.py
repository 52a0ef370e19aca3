"""The registry of dialects, one line each."""

from collections.abc import Mapping

from providers.panels.dialect import Dialect
from providers.panels.dialects.smpanelim import SMPANELIM
from providers.panels.dialects.tmsmm import TMSMM
from providers.panels.dialects.toplistbot import TOPLISTBOT
from providers.panels.dialects.tzsmmpay import TZSMMPAY
from providers.panels.dialects.v2 import V2

DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in (V2, SMPANELIM, TMSMM, TZSMMPAY, TOPLISTBOT)}
