"""Quantile-regression soft actor-critic, the algorithm of GT Sophy (Wurman et al. 2022, Nature 602:223)."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import Field
from torch import Tensor

from actwin.agents.critics import Critics
from actwin.agents.losses import midpoints, quantile_regression
from actwin.agents.sac import SAC, SACConfig


class QRSACConfig(SACConfig):
    """Settings of QR-SAC."""

    type: Literal["qr_sac"] = "qr_sac"  # type: ignore[assignment]
    quantiles: int = Field(default=32, ge=1, description="M: quantiles of the return that each critic says")
    threshold: float = Field(
        default=0.2, gt=0, description="kappa of the quantile Huber loss, about a tenth of the spread of the returns"
    )


class QRSAC(SAC):
    """SAC whose critics say the distribution of the return; the policy follows its mean.

    Targets are all quantiles of the critic with the lower mean. Differs from the paper: kappa is a fifth instead of
    one, as rewards are scaled to returns of about five; layer normalisation.
    """

    kind = "qr_sac"

    def _new_critics(self, observations: int, controls: int) -> Critics:
        config = cast(QRSACConfig, self.settings)
        self.fractions = midpoints(config.quantiles).to(self.device)
        return Critics(observations, controls, config.hidden, outputs=config.quantiles, layer_norm=config.layer_norm)

    def _distance(self, values: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """The quantile Huber loss, averaged over the batch."""
        threshold = cast(QRSACConfig, self.settings).threshold
        loss, slopes = quantile_regression(values, wanted.unsqueeze(0), self.fractions, threshold)
        return loss.mean(-1).sum(), slopes / len(wanted)

    def _spread(self, values: Tensor) -> dict[str, Tensor]:
        return {"quantile_spread": values.std(-1).mean()}
