"""Adam in the eigenbasis of Shampoo's preconditioner (SOAP, arXiv:2409.11321), for stacks of small matrices."""

import torch


class SOAP(torch.optim.Optimizer):
    """A parameter of three dimensions is a stack of matrices, each with bases of its own; others take plain Adam.

    G gradient, L and R averages of G Gᵀ and Gᵀ G, Q their eigenvectors, which one step of the power method and
    a QR decomposition bring up to date every `refresh` steps. Adam's second moments live in the bases of Q, its
    first moment stays in that of the parameters. All averages share one decay `beta`. Matrices shrink by the
    part lr·weight_decay in each step."""

    def __init__(self, parameters, lr, beta=0.98, weight_decay=0.0, refresh=10, eps=1e-10):
        super().__init__(parameters, {"lr": lr, "beta": beta, "weight_decay": weight_decay, "refresh": refresh, "eps": eps})

    @staticmethod
    def _start(state, G):
        state["step"] = 0
        state["first"], state["second"] = torch.zeros_like(G), torch.zeros_like(G)
        if G.dim() == 3:
            for side, gram in (("left", G @ G.mT), ("right", G.mT @ G)):
                state[side] = gram
                state[side + "_basis"] = torch.linalg.eigh(gram)[1].flip(-1)

    @staticmethod
    def _refresh(state, side):
        gram, Q = state[side], state[side + "_basis"]
        # Directions keep the order of their size, so that the second moments stay theirs.
        order = torch.diagonal(Q.mT @ gram @ Q, dim1=-2, dim2=-1).argsort(-1, descending=True)
        Q = Q.gather(-1, order[:, None].expand_as(Q))
        index = order[:, :, None] if side == "left" else order[:, None]
        second = state["second"]
        state["second"] = second.gather(-2 if side == "left" else -1, index.expand_as(second))
        state[side + "_basis"] = torch.linalg.qr(gram @ Q)[0]

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta = group["beta"]
            for parameter in group["params"]:
                G, state = parameter.grad, self.state[parameter]
                if not state:
                    self._start(state, G)
                state["step"] += 1
                first, second = state["first"].lerp_(G, 1 - beta), state["second"]
                matrices = G.dim() == 3
                if matrices:
                    left, right = state["left_basis"], state["right_basis"]
                    second.mul_(beta).add_((left.mT @ G @ right).square_(), alpha=1 - beta)
                    first = left.mT @ first @ right
                else:
                    second.mul_(beta).addcmul_(G, G, value=1 - beta)
                bias = 1 - beta ** state["step"]
                change = first / bias / ((second / bias).sqrt_() + group["eps"])
                if matrices:
                    change = left @ change @ right.mT
                    state["left"].lerp_(G @ G.mT, 1 - beta)
                    state["right"].lerp_(G.mT @ G, 1 - beta)
                    if state["step"] % group["refresh"] == 0:
                        self._refresh(state, "left")
                        self._refresh(state, "right")
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(change, alpha=-group["lr"])
