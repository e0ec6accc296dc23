"""The face finder's making: pictures made to order, the network, its training."""
