"""A matrix factorisation: ratings from embeddings of users and items, of which a batch touches few rows."""

from __future__ import annotations

import numpy as np
import torch

from optimbench.convergence.problem import Arrays, Problem, Tensors, declare, stream

USERS, ITEMS, RANK, RATINGS, NOISE = 100, 60, 4, 2000, 0.1  # NOISE: standard deviation


class Factorisation(Problem):
    """rating = user · item + noise for 2000 of the 6000 pairs; the objective is the mean squared error of these."""

    name = "factorisation"
    title = "A matrix of 100 by 60, rank 4, from a third of its entries with noise; embeddings, 50 ratings in a step"
    objective = "mean squared error (dimensionless)"
    source = "Koren, Bell and Volinsky, Matrix factorization techniques for recommender systems, 2009"
    dtype = "float32"
    steps = 800
    every = 20
    batch = 50
    examples = RATINGS
    per_example = ("user", "item", "rating")
    tables = ("users", "items")
    target = 0.05
    learning_rate = 0.01
    block = 128

    def data(self, seed: int) -> Arrays:
        rng = stream(self.name, "data", seed)
        users, items = rng.standard_normal((USERS, RANK)), rng.standard_normal((ITEMS, RANK))
        user, item = np.divmod(rng.permutation(USERS * ITEMS)[:RATINGS], ITEMS)
        rating = (users[user] * items[item]).sum(1) / RANK**0.5 + self.noise(seed)
        return {"user": user, "item": item, "rating": rating.astype(np.float32)}

    def noise(self, seed: int) -> np.ndarray:
        return NOISE * stream(self.name, "noise", seed).standard_normal(RATINGS)

    def start(self, seed: int) -> Arrays:
        rng = stream(self.name, "start", seed)
        return {
            "users": (0.5 * rng.standard_normal((USERS, RANK))).astype(np.float32),
            "items": (0.5 * rng.standard_normal((ITEMS, RANK))).astype(np.float32),
        }

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        user, item = (
            torch.gather(parameters[table], 1, data[index][:, :, None].expand(-1, -1, RANK))
            for table, index in (("users", "user"), ("items", "item"))
        )
        return ((user * item).sum(2) - data["rating"]).square().mean(1)

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        users, items = parameters["users"], parameters["items"]
        user, item = users[data["user"]], items[data["item"]]
        error = (user * item).sum(1) - data["rating"]
        out = 2.0 * error[:, None] / len(error)
        by_users, by_items = np.zeros_like(users), np.zeros_like(items)
        np.add.at(by_users, data["user"], out * item)
        np.add.at(by_items, data["item"], out * user)
        return float(np.mean(error**2)), {"users": by_users, "items": by_items}

    def touched(self, data: Tensors) -> dict[str, torch.Tensor]:
        return {"users": data["user"], "items": data["item"]}

    def floor(self, seed: int) -> float:
        """The mean square of the noise that was drawn, the objective of the true factors.

        A fit may lie lower: 624 free parameters also follow much of the noise in 2000 ratings.
        """
        return float(np.mean(self.noise(seed) ** 2))


declare(Factorisation())
