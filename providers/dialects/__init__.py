"""The registry of dialects: one line for each."""

from collections.abc import Mapping

from providers.dialect import Dialect
from providers.dialects.smpanelim import SMPANELIM
from providers.dialects.tmsmm import TMSMM
from providers.dialects.toplistbot import TOPLISTBOT
from providers.dialects.tzsmmpay import TZSMMPAY
from providers.dialects.v2 import V2

DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in (V2, SMPANELIM, TMSMM, TZSMMPAY, TOPLISTBOT)}
