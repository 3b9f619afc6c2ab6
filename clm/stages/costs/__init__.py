"""What customers cost and what they bring back, over the table `clv` made: shares of the costs, returns, payback."""
